/** The two functions of a test runner that a contract suite needs: vitest's, Jest's, `node:test`'s. */
export interface TestFunctions {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: (name: string, run: () => Promise<void>) => unknown;
}
