import { describe, expect, it } from "vitest";
import { HeaderLines } from "../header-lines.ts";
import { proxyRequire } from "./proxy-require.ts";
import { require } from "./require.ts";
import { supported } from "./supported.ts";
import { unsupported } from "./unsupported.ts";

describe.each([proxyRequire, require, supported, unsupported])("$name", (field) => {
  it.each(["\x00", "a\x00b", "a b", '"a"', "a;b", "ä", "<a>"])(
    "takes no %j, which is no option tag, RFC 3261 §19.2",
    (value) => {
      const headers = HeaderLines.from([[field.name, "ok"]]);
      expect(headers.readAll(field)).toEqual(["ok"]);
      expect(() => field.parse(value)).toThrow(
        expect.objectContaining({ code: "SIP_PARSE", header: field.name, status: 400 }),
      );
    },
  );
});
