export type { Arrival, Connection, Leg, Peer, Protocol } from "./arrival.ts";
export { type BlockedAnswer, Blocker, type BlockerOptions } from "./chain/blocker.ts";
export { type ChainStep, chainChannel } from "./chain/chain-channel.ts";
export { type DialogRoute, dialogRoute } from "./chain/dialog-route.ts";
export { Dropper, type DropperOptions, type DropRule } from "./chain/dropper.ts";
export { type ByFieldOptions, byField, type FieldPattern } from "./chain/dropper-by-field.ts";
export { type ByRateOptions, byRate } from "./chain/dropper-by-rate.ts";
export type {
  AnyHandler,
  Claim,
  Handler,
  Outcome,
  Packet,
  Receive,
  Verdict,
} from "./chain/handler.ts";
export { HandlerError } from "./chain/handler-error.ts";
export { type Identity, identity } from "./chain/identity.ts";
export { onRequest } from "./chain/on-request.ts";
export { readSipUri } from "./chain/read-sip-uri.ts";
export { ReceiveChain, type ReceiveChainOptions } from "./chain/receive-chain.ts";
export { Reject } from "./chain/reject.ts";
export { asRequestUri } from "./chain/request-uri.ts";
export type {
  ClientObserver,
  ClientTransaction,
  DeliverOptions,
  RequestOptions,
  RouteOptions,
  Server,
} from "./chain/server.ts";
export {
  type LateTargets,
  type LateTargetsObserver,
  lateTargets,
  type Target,
  targetGone,
  targets,
} from "./chain/targets.ts";
export { type Around, wrap } from "./chain/wrap.ts";
export { type Clock, systemClock, type Timer } from "./clock.ts";
export { Dispatcher } from "./dispatcher/dispatcher.ts";
export { canonicalHost, DomainNames } from "./dispatcher/domain-names.ts";
export { KeyedHash } from "./dispatcher/keyed-hash.ts";
export type { DispatcherLimits, DispatcherOptions } from "./dispatcher/options.ts";
export { isTooLongFor } from "./dispatcher/proportion.ts";
export { nodeOfRoute } from "./dispatcher/route-node.ts";
export { type SecretRing, secretRing } from "./dispatcher/secret-ring.ts";
export {
  ParseError,
  type ParseErrorOptions,
  SipError,
  type SipErrorOptions,
  TransactionTimeout,
  TransportError,
} from "./errors.ts";
export type { EventChannel, TraceEvent } from "./event-channel.ts";
export { detach } from "./message/detach.ts";
export { accept } from "./message/header/accept.ts";
export { allow } from "./message/header/allow.ts";
export type { Credentials as AuthValue } from "./message/header/auth-value.ts";
export { authorization } from "./message/header/authorization.ts";
export { type ContactValue, contact } from "./message/header/contact.ts";
export { contentLength } from "./message/header/content-length.ts";
export { contentType, type MediaType } from "./message/header/content-type.ts";
export { type CSeq, cseq } from "./message/header/cseq.ts";
export { date } from "./message/header/date.ts";
export { expires } from "./message/header/expires.ts";
export { from } from "./message/header/from.ts";
export { maxForwards } from "./message/header/max-forwards.ts";
export { minExpires } from "./message/header/min-expires.ts";
export { path } from "./message/header/path.ts";
export { proxyAuthenticate } from "./message/header/proxy-authenticate.ts";
export { proxyAuthorization } from "./message/header/proxy-authorization.ts";
export { proxyRequire } from "./message/header/proxy-require.ts";
export { recordRoute } from "./message/header/record-route.ts";
export { require } from "./message/header/require.ts";
export { retryAfter } from "./message/header/retry-after.ts";
export { route } from "./message/header/route.ts";
export { serviceRoute } from "./message/header/service-route.ts";
export { supported } from "./message/header/supported.ts";
export { to } from "./message/header/to.ts";
export { unsupported } from "./message/header/unsupported.ts";
export { type Via, via } from "./message/header/via.ts";
export { wwwAuthenticate } from "./message/header/www-authenticate.ts";
export type { HeaderField } from "./message/header-field.ts";
export type { Headers, HeadersInit } from "./message/headers.ts";
export { isDefinedMethod, type Method } from "./message/method.ts";
export { formatNameAddr, type NameAddr } from "./message/name-addr.ts";
export { type PacketKey, packetKey } from "./message/packet-key.ts";
export { Params } from "./message/params.ts";
export { parsePacket } from "./message/parse.ts";
export type { ParseLimits } from "./message/parse-limits.ts";
export { Request } from "./message/request.ts";
export { Response, type ResponseOptions } from "./message/response.ts";
export { reasonPhrase } from "./message/status.ts";
export {
  formatUri,
  type OtherUri,
  parseSipUri,
  parseUri,
  type SipUri,
  type TelUri,
  type Uri,
  unescapeUser,
} from "./message/uri.ts";
export { uriEquals } from "./message/uri-equals.ts";
export { validate } from "./message/validate.ts";
export { type Random, systemRandom } from "./random.ts";
export { type DnsResolverOptions, dnsResolver } from "./resolve/dns-resolver.ts";
export {
  type HopPolicy,
  type HopRules,
  publicAddresses,
  routableAddresses,
} from "./resolve/hop-policy.ts";
export type { NextHop, ResolveOptions, Resolver } from "./resolve/resolver.ts";
export {
  formatLadder,
  Ladder,
  type LadderMessage,
  type LadderOptions,
  ladderMessage,
  ladderText,
} from "./trace/ladder.ts";
export { type MalformedEvent, malformedChannel } from "./trace/malformed-channel.ts";
export { type PacketEvent, packetChannel } from "./trace/packet-channel.ts";
export { type RefusedHopEvent, refusedHopChannel } from "./trace/refused-hop-channel.ts";
export {
  type TransactionEnded,
  type TransactionEvent,
  type TransactionOutcome,
  type TransactionStarted,
  transactionChannel,
} from "./transaction/transaction-channel.ts";
export { addressBlock } from "./transport/address-block.ts";
export { AddressList } from "./transport/address-list.ts";
export { type ConnectionEvent, connectionChannel } from "./transport/connection-channel.ts";
export { udpTransport } from "./transport/create-transport.ts";
export type { FlowRef } from "./transport/flow.ts";
export { canonicalAddress } from "./transport/host-port.ts";
export { type LegAddress, type LegOptions, parseLeg } from "./transport/leg-address.ts";
export type { StreamLimits } from "./transport/stream-limits.ts";
export type { TlsCertificate, TlsOptions } from "./transport/tls-options.ts";
export type { Transport, TransportSink } from "./transport/transport.ts";
export type { WebSocketOptions } from "./transport/websocket-options.ts";
export { type Awaitable, isPromise, whenKnown } from "./when-known.ts";
