// How many columns a grid of tiles needs, so that everyone is as large as possible.

const GAP = 10;
/** The widest shape of a tile, width by height, and the narrowest where the box is upright and where it is not. */
const WIDEST = 16 / 9;
const NARROWEST_UPRIGHT = 0.78;
const NARROWEST = 1.15;

/** The size of each tile for `count` of them in a box: `{columns, width, height}` in pixels. */
export function fit(count, width, height) {
  let best = { columns: 1, width: 0, height: 0 };
  const narrowest = height > width ? NARROWEST_UPRIGHT : NARROWEST;
  for (let columns = 1; columns <= count; columns++) {
    const rows = Math.ceil(count / columns);
    const cellWidth = (width - GAP * (columns - 1)) / columns;
    const cellHeight = (height - GAP * (rows - 1)) / rows;
    if (cellWidth <= 0 || cellHeight <= 0) continue;
    const tile = {
      columns,
      width: Math.floor(Math.min(cellWidth, cellHeight * WIDEST)),
      height: Math.floor(Math.min(cellHeight, cellWidth / narrowest)),
    };
    if (seen(tile) > seen(best)) best = tile;
  }
  return best;
}

// What a 4:3 picture shows of itself in the tile: shapes far from it waste their area on cropping.
function seen({ width, height }) {
  const side = Math.min(width / 4, height / 3);
  return side * side * 12 + width * height;
}

/** Keeps the grid's tiles at their best size while tiles, window and shared screens come and go. */
export function keepFitting(grid, stage, screens) {
  const update = () => {
    const sharing = screens.childElementCount > 0;
    stage.dataset.sharing = String(sharing);
    const count = grid.childElementCount;
    grid.dataset.count = String(count);
    if (sharing || count === 0) return;
    // clientWidth is rounded, and half a pixel too much breaks a row.
    const box = grid.getBoundingClientRect();
    const { width, height } = fit(count, box.width, box.height);
    grid.style.setProperty('--tile-width', `${width}px`);
    grid.style.setProperty('--tile-height', `${height}px`);
    grid.dataset.size = width < 170 ? 'small' : width < 330 ? 'medium' : 'large';
  };
  const sizes = new ResizeObserver(update);
  sizes.observe(grid);
  const changes = new MutationObserver(update);
  for (const one of [grid, screens]) changes.observe(one, { childList: true });
  update();
  return () => {
    sizes.disconnect();
    changes.disconnect();
  };
}
