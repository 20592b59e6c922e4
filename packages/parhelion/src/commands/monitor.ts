/** `parhelion monitor`: every uevent of the host or of a guest, until it is asked to end. */
import { connectionLost } from "../sys/explain.js";
import { reachTree, type TreeWish } from "../sys/target.js";
import { type Terminal, untilAskedToEnd } from "../terminal.js";
import { lostView, ueventKeys, ueventView } from "../views/uevent.js";

export interface MonitorCommand extends TreeWish {
  readonly subsystem?: string;
  readonly property?: boolean;
  readonly json?: boolean;
}

export async function monitorCommand(options: MonitorCommand, terminal: Terminal): Promise<number> {
  const { subsystem = "", json = false, property = false } = options;
  const end = untilAskedToEnd();
  try {
    const { client, where } = await reachTree(options, terminal);
    try {
      const dropped = new Promise<"dropped">((resolve) => client.onClose(() => resolve("dropped")));
      const unread = new Promise<"unread">((resolve) => terminal.onOutputEnd(() => resolve("unread")));
      await client.monitor(subsystem, {
        uevent: (keys) =>
          terminal.out(json ? JSON.stringify({ keys: ueventKeys(keys) }) : ueventView(keys, property)),
        lost: (count) => terminal.out(json ? JSON.stringify({ lost: count }) : lostView(count)),
      });
      const what = subsystem === "" ? "all subsystems" : `subsystem ${subsystem}`;
      terminal.out(json ? JSON.stringify({ monitoring: where }) : `monitoring ${where}, ${what}`);
      if ((await Promise.race([end.signal, unread, dropped])) !== "dropped") return 0;
      throw connectionLost(where);
    } finally {
      client.close();
    }
  } finally {
    end.dispose();
  }
}
