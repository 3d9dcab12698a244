/** The longest user name, in characters, that a store is asked for. */
const LONGEST_USER = 256;

/** Whether a user of that name can exist: stores refuse some characters, and a stranger's name must not be their fault. */
export function isAskable(user: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  return user !== "" && user.length <= LONGEST_USER && !/[\u0000-\u001f\u007f]/.test(user);
}
