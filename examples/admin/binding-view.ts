import { type Binding, bindingId, type Reachability } from "@sipkit/registrar";

/** What an operator sees of a binding: data that survives JSON, without what only the registrar needs. */
export interface BindingView extends Reachability {
  readonly id: string;
  readonly uri: string;
  readonly params: string;
  readonly q: number;
  /** Milliseconds since 1970; `null`: it never ends. */
  readonly expiresAt: number | null;
  readonly path: readonly string[];
  readonly userAgent: string | undefined;
  /** Where the device sent from, as `udp 192.0.2.1:5060`. */
  readonly from: string | undefined;
}

export function bindingView(binding: Binding & Reachability): BindingView {
  const { uri, params, q, expiresAt, path, userAgent, flow } = binding;
  const { reachability, roundTripTime } = binding;
  return {
    id: bindingId(binding),
    uri,
    params,
    q,
    expiresAt: Number.isFinite(expiresAt) ? expiresAt : null,
    path,
    userAgent,
    from: flow && `${flow.protocol} ${flow.remote}`,
    ...(reachability && { reachability }),
    ...(roundTripTime !== undefined && { roundTripTime: Math.round(roundTripTime) }),
  };
}
