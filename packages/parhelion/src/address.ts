export interface Address {
  readonly host?: string;
  readonly port: number;
}

/** `PORT`, `HOST:PORT` or `[IPV6]:PORT`; undefined for anything else. */
export function parseAddress(text: string): Address | undefined {
  const match = /^(?:(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):)?(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) return undefined;
  const host = match[1] ?? match[2];
  return host === undefined ? { port } : { host, port };
}
