import { type HeaderField, type PacketKey, ParseError, packetKey } from "@sipkit/core";

/** How likely a call is spam, 0 to 1: a fact for the handlers after `CallScreen`. */
export const spamScore: PacketKey<number> = packetKey("acme spam score");

/** The same for the phone, and between servers that trust each other. */
export const spamScoreHeader: HeaderField<number> = {
  name: "X-Spam-Score",
  parse(value) {
    if (!/^(?:0(?:\.[0-9]{1,2})?|1(?:\.0{1,2})?)$/.test(value)) {
      throw new ParseError("Malformed X-Spam-Score", { header: "X-Spam-Score" });
    }
    return Number(value);
  },
  format: (score) => score.toFixed(2),
};
