/** What happens to connections and is worth counting, since the process began. */
export interface StreamCounters {
  accepted: number;
  dialled: number;
  /** Over a bound: closed as they came, or not opened. */
  connectionsRefused: number;
  /** Accepted, and ended before they could carry SIP: no TLS, no WebSocket, refused, too slow. */
  failedHandshakes: number;
  connectFailures: number;
  acceptErrors: number;
  keepAlives: number;
  /** Sent more frames than the bound that are no message. */
  keepAliveFloods: number;
  /** Could not be cut into messages any more. */
  unframeableStreams: number;
  slowReaders: number;
  /** Took too long for one message. */
  slowSenders: number;
  /** Sent no whole message in time, or fell silent within one. */
  silentConnections: number;
  idleConnections: number;
  /** Sent nothing for longer than they were told to. */
  missedKeepAlives: number;
}

/** Those of a transport that is new. */
export function streamCounters(): StreamCounters {
  return {
    accepted: 0,
    dialled: 0,
    connectionsRefused: 0,
    failedHandshakes: 0,
    connectFailures: 0,
    acceptErrors: 0,
    keepAlives: 0,
    keepAliveFloods: 0,
    unframeableStreams: 0,
    slowReaders: 0,
    slowSenders: 0,
    silentConnections: 0,
    idleConnections: 0,
    missedKeepAlives: 0,
  };
}
