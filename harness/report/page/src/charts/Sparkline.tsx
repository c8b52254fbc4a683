/** The shape of a distribution, as small as a word. */
import { useEffect, useRef } from 'preact/hooks';
import { binsOf } from './distribution';
import { useTheme } from './theme';

const [WIDTH, HEIGHT] = [96, 20];

export function Sparkline({ values }: { values: number[] }) {
  const theme = useTheme();
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const context = canvas.current?.getContext('2d');
    if (context == null || canvas.current === null) return;
    const dot = Math.max(2, devicePixelRatio);
    canvas.current.width = WIDTH * dot;
    canvas.current.height = HEIGHT * dot;
    context.scale(dot, dot);
    context.fillStyle = theme.accent;
    const shares = binsOf([values], 22).shares[0] ?? [];
    const most = Math.max(...shares);
    const step = Math.min(8, WIDTH / shares.length);
    shares.forEach((share, at) => {
      const height = share > 0 ? Math.max(1, (share / most) * HEIGHT) : 0;
      context.fillRect(at * step, HEIGHT - height, Math.max(1, step - 1), height);
    });
  }, [values, theme]);
  return <canvas ref={canvas} class="sparkline" aria-hidden="true" />;
}
