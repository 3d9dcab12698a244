import { isTokenCode } from "./chars.ts";

/**
 * The headers that are known by number: name, compact form, and `true` where a value may be a comma-separated list
 * that can be split. A header's number is its place here, from 1.
 *
 * RFC 3261 §7.3.1, §7.3.3, §20
 */
const HEADERS: readonly (readonly [name: string, compact: string, list: boolean])[] = [
  ["Via", "v", true],
  ["From", "f", false],
  ["To", "t", false],
  ["Call-ID", "i", false],
  ["CSeq", "", false],
  ["Contact", "m", true],
  ["Content-Length", "l", false],
  ["Expires", "", false],
  ["Authorization", "", false],
  ["Proxy-Authorization", "", false],
  ["Route", "", true],
  ["Record-Route", "", true],
  ["Max-Forwards", "", false],
  ["Supported", "k", true],
  ["Content-Type", "c", false],
  ["Path", "", true],
  ["Service-Route", "", true],
  ["Min-Expires", "", false],
  ["Require", "", true],
  ["Proxy-Require", "", true],
  ["Unsupported", "", true],
  ["Allow", "", true],
  ["Accept", "", true],
  ["Date", "", false],
  ["Retry-After", "", false],
  ["WWW-Authenticate", "", false],
  ["Proxy-Authenticate", "", false],
  ["Accept-Contact", "a", true],
  ["Accept-Encoding", "", true],
  ["Accept-Language", "", true],
  ["Alert-Info", "", true],
  ["Allow-Events", "u", true],
  ["Call-Info", "", true],
  ["Content-Encoding", "e", true],
  ["Content-Language", "", true],
  ["Error-Info", "", true],
  ["Event", "o", false],
  ["History-Info", "", true],
  ["Identity", "y", false],
  ["Identity-Info", "n", false],
  ["In-Reply-To", "", true],
  ["P-Asserted-Identity", "", true],
  ["P-Associated-URI", "", true],
  ["P-Preferred-Identity", "", true],
  ["Privacy", "", false],
  ["Reason", "", true],
  ["Refer-To", "r", false],
  ["Referred-By", "b", false],
  ["Reject-Contact", "j", true],
  ["Request-Disposition", "d", true],
  ["Security-Client", "", true],
  ["Security-Server", "", true],
  ["Security-Verify", "", true],
  ["Server", "", false],
  ["Session-Expires", "x", false],
  ["Subject", "s", false],
  ["User-Agent", "", false],
  ["Warning", "", true],
];

export const VIA = 1;
export const FROM = 2;
export const TO = 3;
export const CALL_ID = 4;
export const CSEQ = 5;
export const CONTACT = 6;
export const CONTENT_LENGTH = 7;
export const EXPIRES = 8;
export const AUTHORIZATION = 9;
export const PROXY_AUTHORIZATION = 10;
export const ROUTE = 11;
export const RECORD_ROUTE = 12;
export const MAX_FORWARDS = 13;
export const SUPPORTED = 14;
export const CONTENT_TYPE = 15;
export const PATH = 16;
export const SERVICE_ROUTE = 17;
export const MIN_EXPIRES = 18;
export const REQUIRE = 19;
export const PROXY_REQUIRE = 20;
export const UNSUPPORTED = 21;
export const ALLOW = 22;
export const ACCEPT = 23;
export const DATE = 24;
export const RETRY_AFTER = 25;
export const WWW_AUTHENTICATE = 26;
export const PROXY_AUTHENTICATE = 27;

/** The column of token octets that are in no known name. */
const OTHER_TOKEN = 28;
/** An octet that ends a name: a space, a tab, the colon, or one that no name may hold. */
const NAME_END = 30;

/** What each octet is to a header name: a column of `BRANCHES`, or {@link NAME_END}. */
const NAME_CLASS: Uint8Array = new Uint8Array(256).fill(NAME_END);
for (let code = 0; code < 128; code++) {
  if (isTokenCode(code)) NAME_CLASS[code] = OTHER_TOKEN;
}
for (let letter = 0; letter < 26; letter++) {
  NAME_CLASS[0x41 + letter] = letter + 1;
  NAME_CLASS[0x61 + letter] = letter + 1;
}
NAME_CLASS[0x2d] = 27;

/** The state that a name begins in; 0 is the state of every name that isn't known. */
const NAME_START = 1;
const MAX_STATES: number = HEADERS.reduce((sum, [name]) => sum + name.length + 1, 2);
const COLUMNS = 32;

/**
 * A letter tree of the known names. A name's states follow one another: `LETTER` is the column that leads from a state
 * to the one after it. Other ways out of a state are in its row of `BRANCHES`, if it has one. So telling a name is
 * exact, needs neither its end beforehand nor a copy of it, and what it looks at fits into few cache lines.
 */
const LETTER: Uint8Array = new Uint8Array(MAX_STATES).fill(NAME_END);
const ROW: Uint8Array = new Uint8Array(MAX_STATES);
const IDS: Uint8Array = new Uint8Array(MAX_STATES);
const BRANCHES: Uint16Array = new Uint16Array(MAX_STATES * COLUMNS);

let states = NAME_START + 1;
let rows = 1;

function plant(name: string, id: number): void {
  let state = NAME_START;
  for (let i = 0; i < name.length; i++) {
    const column = NAME_CLASS[name.charCodeAt(i)] ?? NAME_END;
    let next = nextState(state, column);
    if (next === 0) {
      next = states++;
      if (next === state + 1) LETTER[state] = column;
      else {
        if (ROW[state] === 0) ROW[state] = rows++;
        BRANCHES[(ROW[state] ?? 0) * COLUMNS + column] = next;
      }
    }
    state = next;
  }
  IDS[state] = id;
}

function nextState(state: number, column: number): number {
  if (LETTER[state] === column) return state + 1;
  return BRANCHES[(ROW[state] ?? 0) * COLUMNS + column] ?? 0;
}

HEADERS.forEach(([name, compact], index) => {
  plant(name, index + 1);
  if (compact !== "") plant(compact, index + 1);
});

/** The number of a header of that name, in any case, or of that compact form; 0 when it isn't known. */
export function headerId(name: string): number {
  let state = NAME_START;
  for (let i = 0; i < name.length; i++) {
    const column = NAME_CLASS[name.charCodeAt(i)] ?? NAME_END;
    if (column === NAME_END) return 0;
    state = nextState(state, column);
  }
  return IDS[state] ?? 0;
}

/** The bits that a header's number takes in what {@link matchName} gives. */
export const ID_BITS = 6;

/**
 * Reads a header's name from the octets of a message: gives its end, shifted by {@link ID_BITS}, and the number of the
 * header. The end is at the first octet that no name may hold.
 */
export function matchName(octets: Uint8Array, start: number): number {
  let state = NAME_START;
  let i = start;
  let column = NAME_CLASS[octets[i] ?? 0] ?? NAME_END;
  while (column !== NAME_END) {
    state = nextState(state, column);
    i++;
    column = NAME_CLASS[octets[i] ?? 0] ?? NAME_END;
  }
  return (i << ID_BITS) | (IDS[state] ?? 0);
}

/** The spelling of a known header that we write. */
export function headerName(id: number): string {
  return HEADERS[id - 1]?.[0] ?? "";
}

const LISTS: Uint8Array = Uint8Array.from([0, ...HEADERS.map(([, , list]) => (list ? 1 : 0))]);

/** Whether a value of this header may be a list that is split at its commas. */
export function isListHeader(id: number): boolean {
  return LISTS[id] === 1;
}

const SINGLE = (1 << FROM) | (1 << TO) | (1 << CALL_ID) | (1 << CSEQ) | (1 << MAX_FORWARDS);

/** Whether two lines of this header make a message that no two elements need understand alike. RFC 3261 §7.3.1 */
export function isSingle(id: number): boolean {
  return id <= MAX_FORWARDS && ((SINGLE >> id) & 1) === 1;
}
