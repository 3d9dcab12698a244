import { type Awaitable, type Identity, isPromise, type Request, type Server } from "@sipkit/core";

/**
 * A condition that a request must fulfil: `identity` is who sent it, `undefined` for a stranger. Whatever isn't `true`,
 * now or later, is no; what it throws is answered with 500, and so is a no, too.
 */
export type Permission = (
  request: Request,
  identity: Identity | undefined,
  server: Server,
) => Awaitable<boolean>;

/** Everybody may, strangers too: how a method is opened by name. */
export const anyone: Permission = () => true;

/** Who proved himself may: what holds where nothing is said. */
export const authenticated: Permission = (_request, identity) => identity !== undefined;

/** All of them must hold; they are asked in order, up to the first that doesn't. None at all holds. */
export function allOf(...permissions: readonly Permission[]): Permission {
  return inTurn(permissions, false);
}

/** One of them must hold; they are asked in order, up to the first that does. None at all doesn't hold. */
export function anyOf(...permissions: readonly Permission[]): Permission {
  return inTurn(permissions, true);
}

/** It must not hold. Where it can't be told, since it throws, this doesn't hold either. */
export function not(permission: Permission): Permission {
  return (request, identity, server) => {
    const holds = permission(request, identity, server);
    return isPromise(holds) ? holds.then((known) => known !== true) : holds !== true;
  };
}

/** Asks one after the other until one says what decides. */
function inTurn(permissions: readonly Permission[], deciding: boolean): Permission {
  const from = (start: number, ...asked: Parameters<Permission>): Awaitable<boolean> => {
    for (let i = start; i < permissions.length; i++) {
      const holds = (permissions[i] as Permission)(...asked);
      if (isPromise(holds)) {
        return holds.then((known) =>
          (known === true) === deciding ? deciding : from(i + 1, ...asked),
        );
      }
      if ((holds === true) === deciding) return deciding;
    }
    return !deciding;
  };
  return (...asked) => from(0, ...asked);
}
