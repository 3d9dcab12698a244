import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

const running = new Set<Program>();
process.once("exit", () => {
  for (const program of running) program.signal("SIGKILL");
});

/** Ends what a test has left running; for `afterEach`. */
export async function endPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.end("SIGKILL")));
}

/** How a program is run. */
export interface ProgramOptions {
  readonly cwd?: string;
  /** Variables besides our own. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it reads commands from a terminal: see `type`. Default: it has no input. */
  readonly isTypedTo?: boolean;
}

/** A child process in a group of its own, with what it has printed so far. */
export class Program {
  readonly name: string;
  /** stdout and stderr in the order of their arrival. */
  output = "";
  /** The exit code, or the name of the signal that ended it. */
  readonly exit: Promise<number | string>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #ended = false;

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    const { cwd, env, isTypedTo = false } = options;
    this.name = command;
    this.#child = spawn(command, args, {
      ...(cwd === undefined ? {} : { cwd }),
      env: { ...process.env, ...env },
      detached: true,
      stdio: [isTypedTo ? "pipe" : "ignore", "pipe", "pipe"],
    });
    this.#child.stdin?.on("error", () => undefined);
    running.add(this);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.output += text;
        this.#tell();
      });
    }
    this.exit = this.#wait();
  }

  async #wait(): Promise<number | string> {
    try {
      const [code, signal] = await once(this.#child, "close");
      return code ?? signal;
    } catch (error) {
      this.output += String(error);
      return "not started";
    } finally {
      this.#ended = true;
      running.delete(this);
      this.#tell();
    }
  }

  #tell(): void {
    for (const watcher of this.#watchers) watcher();
  }

  /** Types a line at its prompt. */
  type(line: string): void {
    this.#child.stdin?.write(`${line}\n`);
  }

  /** Waits for output that matches; fails when the program ends before, or after `within` ms. */
  printed(pattern: RegExp, within = 15_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const match = pattern.exec(this.output);
        if (match) settle(() => resolve(match));
        else if (this.#ended) settle(() => reject(this.failure(`ended without ${pattern}`)));
      };
      const timer = setTimeout(() => {
        settle(() => reject(this.failure(`no ${pattern} within ${within} ms`)));
      }, within);
      const settle = (act: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        act();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** An error that shows the end of what the program printed. */
  failure(what: string): Error {
    return new Error(`${this.name}: ${what}; it printed:\n${this.output.slice(-4_000)}`);
  }

  /** Signals the program and what it has started. */
  signal(signal: NodeJS.Signals): void {
    if (this.#ended || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, signal);
    } catch {
      // It ended in this moment.
    }
  }

  /** Signals and waits; SIGKILL follows after 5 s. Gives what `exit` gives. */
  async end(signal: NodeJS.Signals = "SIGTERM"): Promise<number | string> {
    this.signal(signal);
    const timer = setTimeout(() => this.signal("SIGKILL"), 5_000);
    const exit = await this.exit;
    clearTimeout(timer);
    return exit;
  }
}
