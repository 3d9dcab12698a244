import {
  type AuthValue,
  authorization,
  contact,
  type HeaderField,
  type NameAddr,
  type Packet,
  parseSipUri,
  proxyAuthenticate,
  proxyAuthorization,
  recordRoute,
  route,
  via,
  wwwAuthenticate,
} from "@sipkit/core";

/** What of a message must be as the RFC prints it, by header. */
export type Likeness = Readonly<Record<string, unknown>>;

/** What ours have besides: the Date that a registrar SHOULD give (RFC 3261 §10.3), and what came later (RFC 5393). */
const BESIDES: ReadonlySet<string> = new Set(["date", "max-breadth"]);

const challenges: readonly HeaderField<AuthValue>[] = [wwwAuthenticate, proxyAuthenticate];
const credentials: readonly HeaderField<AuthValue>[] = [authorization, proxyAuthorization];

/**
 * What of a message is compared: everything but what must differ.
 *
 * - the start line, apart from the reason phrase
 * - every header that is there, by name, `Date` and `Max-Breadth` apart
 * - Via: how many and in which order; of each the transport, sent-by (without a port it is 5060) and `received`; not branch
 *   and rport
 * - Record-Route and Route: whose they are, in order. Ours name a server twice, once a side, which counts as one; users and
 *   parameters differ
 * - From and To: display name, URI, and tag. A tag that is not among `tags`, those that the RFC's phones chose, is one of a
 *   server's, and only its presence counts
 * - Contact: URI and parameters, in any order
 * - challenges: realm, qop, algorithm and stale; credentials: realm, user and uri
 * - all other headers, and the body: the text
 *
 * @param except headers to leave out, and `received` of all Vias
 */
export function likenessOf(
  packet: Packet,
  tags: ReadonlySet<string>,
  except: ReadonlySet<string>,
): Likeness {
  const { headers } = packet;
  const facts: Record<string, unknown> = {
    start: packet.isRequest ? `${packet.method} ${packet.uri}` : packet.status,
    body: Buffer.from(packet.body).toString("latin1"),
  };
  for (const [spelled] of headers) {
    const name = spelled.toLowerCase();
    if (!BESIDES.has(name)) facts[name] ??= headers.getAll(name).join(", ");
  }
  facts.via = headers.readAll(via).map(({ transport, host, port = 5060, received }) => {
    const source = received === undefined || received === host ? "itself" : received;
    return `${transport} ${host}:${port} ${except.has("received") ? "" : source}`;
  });
  for (const field of [recordRoute, route]) {
    if (headers.has(field.name))
      facts[field.name.toLowerCase()] = serversOf(headers.readAll(field));
  }
  facts.from = party(packet.from, tags);
  facts.to = party(packet.to, tags);
  if (headers.has("contact")) {
    facts.contact = headers
      .readAll(contact)
      .map((value) => (value === "*" ? value : `<${value.uri}>${value.params}`))
      .toSorted();
  }
  for (const field of challenges) {
    if (headers.has(field.name)) {
      facts[field.name.toLowerCase()] = paramsOf(packet, field).map((params) => ({
        realm: params.get("realm"),
        qop: params.get("qop"),
        algorithm: params.get("algorithm") ?? "MD5",
        stale: params.get("stale")?.toLowerCase() ?? "false",
      }));
    }
  }
  for (const field of credentials) {
    if (headers.has(field.name)) {
      facts[field.name.toLowerCase()] = paramsOf(packet, field).map((params) => ({
        username: params.get("username"),
        realm: params.get("realm"),
        uri: params.get("uri"),
      }));
    }
  }
  for (const name of except) delete facts[name];
  return facts;
}

function party({ displayName, uri, tag }: NameAddr, tags: ReadonlySet<string>): string {
  const whose = tag === undefined || tags.has(tag) ? tag : "a server's";
  return `${displayName} <${uri}> ${whose}`;
}

function serversOf(routes: readonly NameAddr[]): readonly string[] {
  const hosts = routes.map(({ uri }) => {
    const { host, params } = parseSipUri(uri);
    return `${host}${params.has("lr") ? ";lr" : ""}`;
  });
  return hosts.filter((host, i) => host !== hosts[i - 1]);
}

function paramsOf(packet: Packet, field: HeaderField<AuthValue>): AuthValue["params"][] {
  return packet.headers.readAll(field).map(({ params }) => params);
}
