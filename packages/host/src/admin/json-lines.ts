/** Newline-delimited JSON over a socket, both directions, bounded. */
import type { Socket } from "node:net";
import { StringDecoder } from "node:string_decoder";

/** Longest line that is accepted, in UTF-16 units. */
export const maxAdminLine = 256 * 1024;

/** @param take gets each line; @param tooLong is called once, after which nothing more is read */
export function onLines(socket: Socket, take: (line: string) => void, tooLong: () => void): void {
  const decoder = new StringDecoder("utf8");
  let pending = "";
  let reading: "yes" | "no" = "yes";
  socket.on("data", (chunk: Buffer) => {
    if (reading === "no") return;
    const text = decoder.write(chunk);
    pending += text;
    // Looking through all of it for each byte that comes would be somebody's way to keep the host busy.
    if (text.includes("\n")) takeLines();
    if (pending.length > maxAdminLine) {
      reading = "no";
      pending = "";
      tooLong();
    }
  });
  const takeLines = () => {
    for (let end = pending.indexOf("\n"); end >= 0; end = pending.indexOf("\n")) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 1);
      if (line.trim() !== "") take(line);
    }
  };
}

export function writeLine(socket: Socket, value: unknown): void {
  if (socket.writable) socket.write(`${JSON.stringify(value)}\n`);
}
