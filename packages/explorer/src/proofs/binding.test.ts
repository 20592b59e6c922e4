import * as binding from "./binding.js";
import { anyDeadline } from "./primitives.js";
import { prove } from "./proof.test.fixture.js";

prove(binding.deviceMeetsDriver);
prove(binding.deviceMeetsLeavingDriver);
prove(binding.attachDetachRemove);
prove(binding.removedOnce);
prove(binding.deferredIsNotForgotten);
prove(binding.refusedThenNext);
prove(binding.lateIsNever, anyDeadline);
prove(binding.unregisteredLate, anyDeadline);
