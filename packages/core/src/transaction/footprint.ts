/** What a machine with its final response keeps alive besides its key and its wire string, in bytes by estimate. */
export const SETTLED_BYTES = 512;

/**
 * What a pending machine keeps alive, in bytes by estimate: itself, the request with its text of a usual size, and what
 * its user keeps for it.
 */
export const PENDING_BYTES = 8192;
