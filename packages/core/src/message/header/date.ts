import { ParseError } from "../../errors.ts";
import { digitsOf, skipSpace, trimSpace } from "../chars.ts";
import type { HeaderField } from "../header-field.ts";
import { DATE } from "../header-names.ts";
import { knownField } from "./known-field.ts";

const DAYS: readonly string[] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: readonly string[] = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");
const MONTH_DAYS: readonly number[] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const MS_PER_DAY = 86_400_000;
const DAYS_TO_1970 = 719_162;
const LAST_YEAR = 9999;

function daysOfMonth(year: number, month: number): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  return month === 1 && leap ? 29 : (MONTH_DAYS[month] ?? 0);
}

/** Days from 1 January 1970 to 1 January of a year of the Gregorian calendar. */
function daysBeforeYear(year: number): number {
  const y = year - 1;
  return y * 365 + Math.floor(y / 4) - Math.floor(y / 100) + Math.floor(y / 400) - DAYS_TO_1970;
}

/** `Sat, 13 Nov 2010 23:29:00 GMT`, every field at its place. */
function scanDate(text: string, start: number, end: number): number {
  const first = skipSpace(text, start, end);
  const malformed = new ParseError("Malformed Date", { header: "Date", offset: first });
  const value = text.slice(first, trimSpace(text, first, end));
  const digits = (from: number, to: number, max: number): number => {
    const number = digitsOf(value, from, to, max);
    if (number < 0) throw malformed;
    return number;
  };
  const month = MONTHS.indexOf(value.slice(8, 11));
  const punctuation = value.replace(/[A-Za-z\d]/g, "");
  const shape = value.length === 29 && punctuation === ",    :: " && value.endsWith(" GMT");
  if (!shape || month < 0 || !DAYS.includes(value.slice(0, 3))) throw malformed;
  const year = digits(12, 16, LAST_YEAR);
  const day = digits(5, 7, daysOfMonth(year, month));
  if (day === 0) throw malformed;
  const seconds = digits(17, 19, 23) * 3600 + digits(20, 22, 59) * 60 + digits(23, 25, 60);
  let days = daysBeforeYear(year) + day - 1;
  for (let i = 0; i < month; i++) days += daysOfMonth(year, i);
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
