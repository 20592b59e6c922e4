/**
 * What a SpecialCommands method throws when the command can't be carried out yet. The replayer keeps the record and begins with
 * it at its next `replay`, so that nothing overtakes it. Throw before anything was changed: the command is decoded and called again.
 * Commands that reserve a handle can't be deferred: theirs is taken by then.
 */
export class CommandDeferred extends Error {
  override readonly name = "CommandDeferred";
}
