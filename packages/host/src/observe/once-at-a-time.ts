/** Who asks while the work is under way gets what comes of it: however many ask, it is done once at a time. */
export function onceAtATime<T>(work: () => Promise<T>): () => Promise<T> {
  let underWay: Promise<T> | undefined;
  return () => {
    if (underWay !== undefined) return underWay;
    const own = work();
    const over = () => {
      underWay = undefined;
    };
    underWay = own;
    own.then(over, over);
    return own;
  };
}
