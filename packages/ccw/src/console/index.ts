/** The operator's console. */
export { Console3215, maxLines, type TerminalOptions } from "./console-3215.js";
export { type ConsoleSocket, serveConsole } from "./console-socket.js";
