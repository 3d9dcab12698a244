import { Params } from "@sipkit/core";
import type { Binding } from "./binding.ts";

/** Which device a binding is of, and which of its flows. */
export interface Device {
  /** The device, as `<urn:uuid:…>`. RFC 5626 §4.1 */
  readonly instance: string | undefined;
  /** Which of the device's flows. RFC 5626 §4.2 */
  readonly regId: number | undefined;
}

const NO_DEVICE: Device = Object.freeze({ instance: undefined, regId: undefined });

/** What a binding's parameters say of its device. */
export function deviceOf({ params }: Binding): Device {
  // Most have no parameters, or `q` alone.
  if (!params.includes("=")) return NO_DEVICE;
  const read = new Params(params);
  return { instance: read.get("+sip.instance"), regId: readRegId(read.get("reg-id")) };
}

/** A `reg-id`: a number from 1 to 2^31-1. RFC 5626 §9 */
export function readRegId(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const number = Number(text);
  return number >= 1 && number <= 0x7fff_ffff ? number : undefined;
}
