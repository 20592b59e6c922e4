/** Environment variable with more Dawn switches, separated by blanks, for example `backend=null`. */
export const DAWN_SWITCHES = "PARHELION_DAWN_SWITCHES";
