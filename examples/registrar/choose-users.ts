const DEMO_USERS = { alice: "secret", bob: "secret" };

/** Who may register. */
export interface ChosenUsers {
  /** Passwords by user; the demo users where none are given and only this machine can reach us. */
  readonly users: Readonly<Record<string, string>>;
  readonly areDemoUsers: boolean;
}

/** Reads who the users are from a command line. Throws an `Error` whose message says what is wrong with it. */
export function chooseUsers(values: {
  readonly user: readonly string[];
  readonly htdigest?: string | undefined;
  readonly listen: readonly string[];
}): ChosenUsers {
  const users = Object.fromEntries(values.user.map(readUser));
  const areDemoUsers = values.user.length === 0 && values.htdigest === undefined;
  if (areDemoUsers && !values.listen.every(isLoopback)) {
    throw new Error(
      "The demo users have known passwords, so they exist on loopback alone: give --user NAME:PASSWORD or --htdigest FILE.",
    );
  }
  return { users: areDemoUsers ? DEMO_USERS : users, areDemoUsers };
}

function readUser(text: string): [user: string, password: string] {
  const colon = text.indexOf(":");
  if (colon <= 0) throw new Error("--user is NAME:PASSWORD");
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/** Whether nobody but this machine can reach an address such as `udp:127.0.0.1:5060` or `tcp:[::1]:5060`. */
function isLoopback(listen: string): boolean {
  return /^[a-z]+:(?:127(?:\.[0-9]{1,3}){3}|\[::1\])(?::[0-9]+)?$/i.test(listen);
}
