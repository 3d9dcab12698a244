/** What one host has at its disposal: an IPv4 address, or the /64 of an IPv6 address as its four groups. */
export function addressBlock(address: string): string {
  if (!address.includes(":")) return address;
  const [front = "", back] = address.split("::", 2);
  const groups = front === "" ? [] : front.split(":");
  if (back !== undefined) {
    const tail = back === "" ? [] : back.split(":");
    // An IPv4 address at the end stands for two groups.
    const width = tail.length + (back.includes(".") ? 1 : 0);
    while (groups.length + width < 8) groups.push("0");
    groups.push(...tail);
  }
  return groups.slice(0, 4).join(":");
}
