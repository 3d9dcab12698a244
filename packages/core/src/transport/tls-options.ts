/** A certificate chain with its key, PEM text each. */
export interface TlsCertificate {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  /** Opens an encrypted key. */
  readonly passphrase?: string;
}

/** How a tls or wss leg proves who it is, and whom it believes. */
export interface TlsOptions extends TlsCertificate {
  /**
   * Certificates for the names that clients ask for (SNI): host names, or `*.example.com` for every name one label below.
   * A name that is not here gets the leg's own certificate. RFC 6066 §3
   */
  readonly names?: Readonly<Record<string, TlsCertificate>>;
  /** Whose certificates are believed, PEM text each. Default: the authorities that Node knows. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /**
   * Whether those who connect to us are asked for a certificate: `"optional"` accepts those without one or with one that is
   * not believed (`connection.authorized` tells), `"required"` closes them. Default: `"none"`.
   */
  readonly clientCertificate?: "none" | "optional" | "required";
  /**
   * Whether the servers that we connect to must prove the domain that led to them (RFC 5922 §7.3). `false` accepts any
   * certificate: for tests and closed networks alone. Default: `true`.
   */
  readonly verifyServers?: boolean;
  /** Default: `"TLSv1.2"`. */
  readonly minVersion?: "TLSv1.2" | "TLSv1.3";
}
