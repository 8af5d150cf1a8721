// The cases of a suite, wherever they are to run.

export async function casesOf(suite) {
  const module = await import(`./${suite}.cases.mjs`);
  const { counted, names, run } = await import("./cases.mjs");
  return {
    counted,
    names,
    run,
    apply(settings) {
      for (const [name, number] of Object.entries(settings)) module[name].number = number;
    },
  };
}
