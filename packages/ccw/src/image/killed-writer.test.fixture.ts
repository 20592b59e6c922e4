/** A process that writes three tracks again and again, and says each time that they are durable. Its test kills it. */
import { DiskImage } from "./disk-image.js";
import { trackAddress } from "./geometry.js";

const [path, round] = process.argv.slice(2) as [string, string];
const image = await DiskImage.open(path, { access: "read-write" });
for (let number = 1; number < 100_000; number += 1) {
  for (const track of [1, 2, 3]) {
    const home = trackAddress(image.geometry, track);
    const key = new Uint8Array(0);
    const data = Buffer.alloc(4 + ((number * 997) % 20_000), number);
    data.writeUInt32BE(Number(round) * 1000 + number);
    await image.write(track, {
      home,
      records: [
        { ...home, record: 0, key, data: new Uint8Array(8) },
        { ...home, record: 1, key, data },
      ],
    });
  }
  await image.flush();
  process.stdout.write(`${number}\n`);
}
