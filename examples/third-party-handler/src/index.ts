export {
  BusinessHours,
  type BusinessHoursOptions,
  type Opening,
  type Weekday,
} from "./business-hours.ts";
