import { test } from "node:test";
import { prove } from "../prove.js";
import * as links from "./links.js";

for (const program of Object.values(links)) prove(test, program);
