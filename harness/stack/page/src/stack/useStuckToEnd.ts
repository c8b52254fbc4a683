import { type RefObject, useEffect, useRef } from 'react';

const NEAR_PX = 40;

/** Keeps a list scrolled to its end as it grows, unless somebody has scrolled up. */
export function useStuckToEnd(size: number): { box: RefObject<HTMLDivElement | null>; follow: () => void } {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  useEffect(() => {
    if (box.current !== null && atEnd.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [size]);
  const follow = (): void => {
    const element = box.current;
    if (element !== null) {
      atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX;
    }
  };
  return { box, follow };
}
