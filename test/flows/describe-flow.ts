import type { Protocol } from "@sipkit/core";
import { describe, it } from "vitest";
import { type Column, columnsOf, mixedColumns } from "./columns.ts";
import { type Flow, Stage } from "./stage.ts";

/** How a flow is told as tests. */
export interface FlowTest extends Omit<Flow, "figure" | "cast"> {
  readonly title: string;
  /** The transport that the RFC shows it over; left out where each host has its own. */
  readonly over?: Protocol;
  /** Set where it takes minutes: it runs on virtual time alone. */
  readonly isLong?: boolean;
  readonly figure: string;
  readonly cast: Flow["cast"];
  /** What else must hold when it is over. */
  readonly afterwards?: (stage: Stage) => void;
}

/** The tests of a flow: one a column. Those on sockets run at the same time, since they mostly wait for a 100 to be due. */
export function describeFlow({ title, over, isLong = false, afterwards, ...flow }: FlowTest): void {
  const all = over === undefined ? mixedColumns : columnsOf(over);
  const columns = all.filter(([, { isVirtual }]) => isVirtual || !isLong);
  describe(`RFC ${flow.rfc} §${flow.section}, ${title}`, () => {
    it.concurrent.each(columns)(
      "over %s",
      async (_, column: Column) => {
        const stage = await Stage.play(flow, column);
        afterwards?.(stage);
      },
      15_000,
    );
  });
}
