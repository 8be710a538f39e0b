// Messages on data channels. The functions run in the page.

/** Resolves once both channels are open: what is sent before that does not come here. */
export async function listenForData() {
  const { room } = globalThis.roundturn;
  globalThis.dataForTests = [];
  room.data.on(({ participant, data, lossy }) => {
    globalThis.dataForTests.push([participant.name, lossy, typeof data === 'string' ? data : `bytes ${new Uint8Array(data)}`]);
  });
  await room.data.send('', { lossy: true });
}

/** The lossy message is said again and again: the first ones may come before everyone listens. */
export async function sendData(name) {
  const { data } = globalThis.roundturn.room;
  await data.send(`grüß von ${name}`);
  await data.send('');
  await data.send(new Uint8Array([1, 2, 3]));
  await data.send('x'.repeat(16 * 1024));
  setInterval(() => data.send(`hier ist ${name}`, { lossy: true }), 200);
}

export function hasData(names) {
  return names.every((name) => {
    const of = (wanted) => globalThis.dataForTests.filter(([who, lossy]) => who === name && lossy === wanted).map(([, , data]) => data);
    const expected = [`grüß von ${name}`, '', 'bytes 1,2,3', 'x'.repeat(16 * 1024)];
    return JSON.stringify(of(false)) === JSON.stringify(expected) && of(true).includes(`hier ist ${name}`);
  });
}
