/** A uPlot chart that is as wide as its place. It is made when it comes into view, or is printed. */
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import { FONT, type Theme } from './theme';

interface PlotProps {
  /** What the drawing shows, for people who do not see it. */
  label: string;
  height: number;
  /** Made anew where it changes, so it is to be kept by the caller (`useMemo`). */
  options: Omit<uPlot.Options, 'width' | 'height'>;
  data: uPlot.AlignedData;
}

export function Plot({ label, height, options, data }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState(false);
  useEffect(() => {
    const here = place.current;
    if (here === null || seen) return undefined;
    const see = () => { setSeen(true); };
    const observer = new IntersectionObserver((entries) => { if (entries.some((each) => each.isIntersecting)) see(); }, { rootMargin: '200px' });
    observer.observe(here);
    addEventListener('beforeprint', see);
    return () => {
      observer.disconnect();
      removeEventListener('beforeprint', see);
    };
  }, [seen]);
  useEffect(() => {
    const here = place.current;
    if (here === null || !seen) return undefined;
    const plot = new uPlot({ ...options, width: Math.max(200, here.clientWidth), height }, data, here);
    const observer = new ResizeObserver(() => {
      if (here.clientWidth > 0 && here.clientWidth !== plot.width) plot.setSize({ width: here.clientWidth, height });
    });
    observer.observe(here);
    return () => {
      observer.disconnect();
      plot.destroy();
    };
  }, [options, data, height, seen]);
  return <div ref={place} class="plot" role="img" aria-label={label} style={{ minHeight: `${height}px` }} />;
}

/** An axis in the page's colours. */
export function axis(theme: Theme, more: uPlot.Axis): uPlot.Axis {
  const thin = { stroke: theme.rule, width: 1 };
  return { stroke: theme.soft, font: FONT, grid: thin, ticks: { ...thin, size: 4 }, gap: 5, ...more };
}

/** Labels of an axis: its values in words, and a plain 0. */
export function labels(words: (value: number) => string): uPlot.Axis.DynamicValues {
  return (_, values) => values.map((value) => (value === 0 ? '0' : words(value)));
}

/** A colour with this opacity, for canvases. */
export function faint(colour: string, opacity: number): string {
  return `color-mix(in srgb, ${colour} ${Math.round(opacity * 100)}%, transparent)`;
}
