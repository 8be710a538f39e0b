// Tells the server how large each picture is shown, so that it sends no larger one.

/** Sizes change with every step of an animation; the server needs to know where they end. */
const SETTLED_MS = 300;

/** Keeps the server told of the tiles that `tiles()` gives: call `update` when they may have changed, `stop` at the end. */
export function keepViewing(room, tiles) {
  let timer = 0;
  let said = '';
  const tell = () => {
    const wishes = [];
    for (const { node, participant, source } of tiles()) {
      const publication = participant.isYou ? null : participant.publications.get(source);
      const height = Math.ceil(node.clientHeight * devicePixelRatio);
      if (publication?.id) wishes.push({ publication, height });
    }
    const words = JSON.stringify([room.you.id, ...wishes.map(({ publication, height }) => [publication.id, height])]);
    if (words === said || room.state !== 'connected') return;
    said = words;
    room.view(wishes).catch(() => { said = ''; });
  };
  const update = () => {
    clearTimeout(timer);
    timer = setTimeout(tell, SETTLED_MS);
  };
  addEventListener('resize', update);
  return {
    update,
    stop() {
      clearTimeout(timer);
      removeEventListener('resize', update);
    },
  };
}
