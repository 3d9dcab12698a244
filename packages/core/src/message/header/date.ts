import { ParseError } from "../../errors.ts";
import type { HeaderField } from "../header-field.ts";
import { DATE } from "../header-names.ts";
import { skipSpace, trimSpace } from "../octets.ts";
import type { Wire } from "../wire.ts";
import { knownField } from "./known-field.ts";

const DAYS: readonly string[] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: readonly string[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const MONTH_DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MS_PER_DAY = 86_400_000;
const DAYS_TO_1970 = 719_162;

function daysOfMonth(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 1 && leap ? 29 : (MONTH_DAYS[month] ?? 0);
}

/** Days from 1 January 1970 to 1 January of a year of the Gregorian calendar. */
function daysBeforeYear(year: number): number {
  const y = year - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) - DAYS_TO_1970;
}

/** `Sat, 13 Nov 2010 23:29:00 GMT`: every field has its place. */
const SHAPE =
  /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), (\d\d) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) GMT$/;

function scanDate({ text, octets }: Wire, start: number, end: number): number {
  const first = skipSpace(octets, start, end);
  const match = SHAPE.exec(text.slice(first, trimSpace(octets, first, end)));
  const [, day = "", monthName = "", year = "", hour = "", minute = "", second = ""] = match ?? [];
  const month = MONTHS.indexOf(monthName);
  const inRange =
    month >= 0 &&
    Number(year) > 0 &&
    Number(day) > 0 &&
    Number(day) <= daysOfMonth(Number(year), month) &&
    Number(hour) < 24 &&
    Number(minute) < 60 &&
    Number(second) <= 60;
  if (!inRange) throw new ParseError("Malformed Date", { header: "Date", offset: first });
  let days = daysBeforeYear(Number(year)) + Number(day) - 1;
  for (let i = 0; i < month; i++) days += daysOfMonth(Number(year), i);
  const seconds = Number(hour) * 3600 + Number(minute) * 60 + Number(second);
  return days * MS_PER_DAY + seconds * 1000;
}

function two(number: number): string {
  return number < 10 ? `0${number}` : String(number);
}

function formatDate(ms: number): string {
  const days = Math.floor(ms / MS_PER_DAY);
  const seconds = Math.floor((ms - days * MS_PER_DAY) / 1000);
  let year = 1970 + Math.floor(days / 365.2425);
  if (daysBeforeYear(year) > days) year--;
  else if (daysBeforeYear(year + 1) <= days) year++;
  let day = days - daysBeforeYear(year);
  let month = 0;
  for (; day >= daysOfMonth(year, month); month++) day -= daysOfMonth(year, month);
  const time = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  const weekday = DAYS[((days % 7) + 7) % 7];
  return `${weekday}, ${two(day + 1)} ${MONTHS[month]} ${String(year).padStart(4, "0")} ${time} GMT`;
}

/** The Date header, in milliseconds since 1970; written in whole seconds. RFC 3261 §20.17 */
export const date: HeaderField<number> = knownField(DATE, scanDate, formatDate);
