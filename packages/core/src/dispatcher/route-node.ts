import { readSipUri } from "../chain/read-sip-uri.ts";
import { flowInToken } from "./route-tokens.ts";

/**
 * The node whose flow a Route of ours, or of a node that signs as we do, names; `undefined` for any other URI. Nothing
 * is verified: that is done where the request is taken, by the node that it is for.
 */
export function nodeOfRoute(uri: string): string | undefined {
  const token = readSipUri(uri)?.user;
  return token === undefined ? undefined : flowInToken(token)?.node;
}
