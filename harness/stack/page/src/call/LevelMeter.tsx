import './LevelMeter.css';

import { useEffect, useRef } from 'react';

interface LevelMeterProps {
  /** Returns the level at this moment, from 0 to 1. */
  readonly level: () => number;
}

// A voice at a normal distance reaches about this level.
const FULL = 0.35;

/** A bar that follows a voice's level. It tells a screen reader nothing; what is on is said in words beside it. */
export function LevelMeter({ level }: LevelMeterProps): React.JSX.Element {
  const bar = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let frame = requestAnimationFrame(function draw() {
      const share = Math.min(1, level() / FULL);
      bar.current?.style.setProperty('transform', `scaleX(${share.toFixed(3)})`);
      frame = requestAnimationFrame(draw);
    });
    return () => {
      cancelAnimationFrame(frame);
    };
  }, [level]);
  return (
    <span className="va-meter" aria-hidden="true">
      <span ref={bar} className="va-meter-bar" />
    </span>
  );
}
