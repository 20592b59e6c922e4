import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import * as commandEncoders from "./generated/command-encode.js";
import { InterfaceKind } from "./generated/numbers.js";
import { type Command, loadGenerator, type Sample, Samples } from "./model.test.fixture.js";
import { Reservation } from "./object-table.js";
import type { CommandStream } from "./stream.js";
import { World } from "./world.test.fixture.js";

const { commands, ...model } = (await loadGenerator()).loadModel();
const all = { commands, ...model };

type Encoder = (stream: CommandStream, ...args: unknown[]) => string | undefined;

function encoderOf(command: Command): Encoder {
  const name = command.wrapped ? `${command.name}Record` : command.name;
  return (commandEncoders as unknown as Record<string, Encoder>)[name] as Encoder;
}

const nothing: Sample = { given: undefined, expected: undefined };

/** Arguments of a command, optional ones sometimes left out, with what the method has to be called with. */
function argumentsOf(samples: Samples, command: Command): fc.Arbitrary<Sample[]> {
  return fc.tuple(
    ...command.args
      .filter((arg) => arg.type.created !== true)
      .map((arg): fc.Arbitrary<Sample> => {
        const value = samples.of(arg.type);
        if (arg.optional !== true) return value;
        // The default of every optional dictionary is the empty one.
        return fc.option(value, { nil: { ...nothing, expected: arg.default } });
      }),
  );
}

describe("every command of fixed or generated shape", () => {
  for (const command of commands.filter((each) => !each.byHand && each.owner !== undefined)) {
    test(`${command.name} arrives as the same call`, () => {
      const world = new World();
      const samples = new Samples(all, world);
      const kind = InterfaceKind[command.owner as keyof typeof InterfaceKind];
      let id = 1000;
      const encode = encoderOf(command);
      fc.assert(
        fc.property(argumentsOf(samples, command), (args) => {
          const creates = command.creates ?? command.reserves;
          if (creates !== undefined) id += 1;
          encode(
            world.stream,
            10 * kind,
            ...(creates === undefined ? [] : [id]),
            ...args.map((arg) => arg.given),
          );
          const [call, ...more] = world.replay();
          assert.deepEqual(more, []);
          const self = world.objects.get(10 * kind, kind);
          const expected = args.map((arg) => arg.expected);
          if (!command.special) {
            assert.deepEqual(call, {
              on: `${command.owner} ${10 * kind}`,
              method: command.method,
              args: expected,
            });
          } else {
            assert.equal(call?.on, "special");
            assert.equal(call.method, command.name);
            assert.equal(call.args[0], self);
            const rest = call.args.slice(1);
            if (command.reserves !== undefined) {
              const reservation = rest.shift();
              assert.ok(reservation instanceof Reservation);
              assert.equal(reservation.id, id);
            }
            assert.deepEqual(rest, expected);
          }
          if (creates !== undefined) {
            const created = InterfaceKind[creates as keyof typeof InterfaceKind];
            assert.equal(world.objects.kindOf(id), created);
            assert.ok(world.objects.get(id, created));
            world.objects.release(id);
          }
        }),
        { numRuns: 60 },
      );
      assert.deepEqual(world.failures, []);
      world.close();
    });
  }

  test("is a method of an interface, or belongs to the queue itself", () => {
    const ofQueue = commands.filter((each) => each.owner === undefined).map((each) => each.name);
    assert.deepEqual(ofQueue.sort(), ["importObject", "release", "setLabel"]);
    const byHand = commands.filter((each) => each.byHand).map((each) => each.method);
    assert.deepEqual([...new Set(byHand)].sort(), ["setBindGroup", "setImmediates"]);
  });
});

test("encoders of descriptors return the label, read once", () => {
  const world = new World();
  let reads = 0;
  const descriptor = {
    get label() {
      reads += 1;
      return "quad\ud800";
    },
  };
  assert.equal(commandEncoders.deviceCreateSampler(world.stream, 10, 1001, descriptor), "quad\ufffd");
  assert.equal(commandEncoders.deviceCreateSampler(world.stream, 10, 1002), "");
  assert.equal(reads, 1);
  assert.equal(world.replay().length, 2);
  world.close();
});
