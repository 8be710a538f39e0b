/** Runs in the page: a screen that changes, since there is none to choose in a browser without one. */
export function fakeScreen() {
  if (!navigator.mediaDevices) return;
  navigator.mediaDevices.getDisplayMedia = async () => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 640, height: 360 });
    const context = canvas.getContext('2d');
    const timer = setInterval(() => {
      context.fillStyle = `hsl(${performance.now() / 10} 60% 50%)`;
      context.fillRect(0, 0, 640, 360);
    }, 100);
    const stream = canvas.captureStream(10);
    stream.getTracks()[0].addEventListener('ended', () => clearInterval(timer));
    return stream;
  };
}
