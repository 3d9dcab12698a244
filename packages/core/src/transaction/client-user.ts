import type { TransactionTimeout, TransportError } from "../errors.ts";
import type { Response } from "../message/response.ts";

/** Who created a client transaction. */
export interface ClientUser {
  /**
   * A response came: provisional ones, then a final one, retransmissions left out; after a 2xx to an INVITE every
   * further 2xx, also the same again, since each must be acknowledged.
   */
  response(response: Response): void;
  /** No final response will come. Called at most once, and never after a final response. */
  failed(error: TransactionTimeout | TransportError): void;
  /** Nothing more will be told. Called once, after everything else. */
  ended?(): void;
}
