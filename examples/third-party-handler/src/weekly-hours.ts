const WEEKDAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;
const MINUTES_A_DAY = 24 * 60;

export type Weekday = (typeof WEEKDAYS)[number];

/** From when to when, as `HH:MM`; until `24:00` is until midnight. */
export type Opening = readonly [from: string, to: string];

/** Opening hours of a week, by the clock on the wall of a time zone. */
export class WeeklyHours {
  readonly #days: readonly (readonly [from: number, to: number] | undefined)[];
  readonly #format: Intl.DateTimeFormat;

  /** Throws a `RangeError` for a time zone that nobody knows, for what is no time of day, and where it is never open. */
  constructor(timeZone: string, hours: Readonly<Partial<Record<Weekday, Opening>>>) {
    this.#days = WEEKDAYS.map((day) => parseOpening(hours[day]));
    if (this.#days.every((day) => day === undefined)) throw new RangeError("it is never open");
    this.#format = new Intl.DateTimeFormat("en-US", {
      timeZone,
      weekday: "short",
      hour: "2-digit",
      minute: "2-digit",
      hourCycle: "h23",
    });
  }

  /** Minutes until it opens; 0 while it is open. `at`: milliseconds since 1970. */
  minutesUntilOpen(at: number): number {
    const [today, now] = this.#local(at);
    for (let ahead = 0; ahead <= WEEKDAYS.length; ahead += 1) {
      const opening = this.#days[(today + ahead) % WEEKDAYS.length];
      if (opening === undefined) continue;
      const [from, to] = opening;
      const wait = ahead * MINUTES_A_DAY + from - now;
      if (wait > 0) return wait;
      if (ahead === 0 && now < to) return 0;
    }
    return 0;
  }

  #local(at: number): readonly [day: number, minute: number] {
    const parts = new Map(this.#format.formatToParts(at).map(({ type, value }) => [type, value]));
    const day = WEEKDAYS.indexOf(parts.get("weekday") as Weekday);
    return [day, Number(parts.get("hour")) * 60 + Number(parts.get("minute"))];
  }
}

function parseOpening(opening: Opening | undefined): readonly [number, number] | undefined {
  if (opening === undefined) return undefined;
  const [from, to] = [minuteOfDay(opening[0]), minuteOfDay(opening[1])];
  if (from >= to) throw new RangeError(`${opening.join(" to ")} is no time at all`);
  return [from, to];
}

function minuteOfDay(text: string): number {
  const [, hour, minute] = /^([0-9]{2}):([0-5][0-9])$/.exec(text) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  if (minutes <= MINUTES_A_DAY) return minutes;
  throw new RangeError(`"${text}" is no time of day: HH:MM`);
}
