// Reads a WebAssembly module: its sections, and of its functions the names and bodies.

export function parse(bytes) {
  let at = 8;
  const read = () => {
    let [value, shift, byte] = [0, 0, 0];
    do {
      byte = bytes[at++];
      value |= (byte & 127) << shift;
      shift += 7;
    } while (byte & 128);
    return value >>> 0;
  };
  const text = () => {
    const length = read();
    return bytes.subarray(at, (at += length)).toString();
  };
  const limits = () => {
    const hasMaximum = bytes[at++] & 1;
    read();
    if (hasMaximum) read();
  };

  const sections = [];
  const bodies = [];
  const names = new Map();
  let imported = 0;
  while (at < bytes.length) {
    const start = at;
    const id = bytes[at++];
    const length = read();
    const [content, end] = [at, at + length];
    if (id === 0 && text() === "name") {
      while (at < end) {
        const subsection = bytes[at++];
        const subsectionEnd = read() + at;
        if (subsection === 1) for (let left = read(); left > 0; left--) names.set(read(), text());
        at = subsectionEnd;
      }
    } else if (id === 2) {
      for (let left = read(); left > 0; left--) {
        text();
        text();
        const kind = bytes[at++];
        if (kind === 0) {
          imported++;
          read();
        } else if (kind === 1) {
          at++;
          limits();
        } else if (kind === 2) limits();
        else at += 2;
      }
    } else if (id === 10) {
      for (let left = read(); left > 0; left--) {
        const size = read();
        bodies.push(bytes.subarray(at, (at += size)));
      }
    }
    at = end;
    sections.push({ id, bytes: bytes.subarray(start, end), length: end - content });
  }
  return {
    sections,
    functions: bodies.map((body, index) => ({ body, name: names.get(imported + index) ?? "" })),
  };
}
