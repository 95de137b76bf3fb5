/** The state of requests and of elements, as hooks. */

import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

import { Lost } from "./api.ts";

export interface Loaded<T> {
  /** The last value; kept while the next one is loaded, and when the server is lost. */
  value: T | undefined;
  error: Error | undefined;
  isLoading: boolean;
}

/** Loads a value whenever a dependency changes. The value of other `identity` is not kept. */
export const useLoaded = <T>(load: ((signal: AbortSignal) => Promise<T>) | undefined, identity: string, dependencies: readonly unknown[]): Loaded<T> => {
  const [state, set] = useState<Loaded<T> & { identity: string }>({ value: undefined, error: undefined, isLoading: true, identity });
  useEffect(() => {
    if (load === undefined) return undefined;
    const controller = new AbortController();
    const { signal } = controller;
    set((state) => (state.identity === identity ? { ...state, isLoading: true } : { value: undefined, error: undefined, isLoading: true, identity }));
    load(signal).then(
      (value) => signal.aborted || set({ value, error: undefined, isLoading: false, identity }),
      (error: unknown) => {
        if (signal.aborted) return;
        const lasting = error instanceof Lost;
        const shown = error instanceof Error ? error : new Error(String(error));
        set((state) => ({ value: lasting ? state.value : undefined, error: lasting && state.value !== undefined ? undefined : shown, isLoading: false, identity }));
      },
    );
    return () => controller.abort();
  }, [identity, ...dependencies]);
  return state.identity === identity ? state : { value: undefined, error: undefined, isLoading: true };
};

export interface Size {
  width: number;
  height: number;
}

/** The size of an element in whole pixels; `undefined` until it is known. */
export const useSize = <E extends HTMLElement>(): [RefObject<E | null>, Size | undefined] => {
  const element = useRef<E>(null);
  const [size, set] = useState<Size>();
  useEffect(() => {
    if (element.current === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      set({ width: Math.floor(width), height: Math.floor(height) });
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, size];
};

/** Whether an element is near the visible part of the page. */
export const useVisible = <E extends HTMLElement>(): [RefObject<E | null>, boolean] => {
  const element = useRef<E>(null);
  const [isVisible, set] = useState(false);
  useEffect(() => {
    if (element.current === null) return undefined;
    const observer = new IntersectionObserver(([entry]) => entry !== undefined && set(entry.isIntersecting), { rootMargin: "300px" });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return [element, isVisible];
};

/** A number that grows every `seconds` while the page is visible, and when it becomes visible again; 0 stops it. */
export const useTick = (seconds: number): [number, () => void] => {
  const [tick, set] = useState(0);
  const next = () => set((tick) => tick + 1);
  useEffect(() => {
    if (seconds <= 0) return undefined;
    let last = Date.now();
    const check = () => {
      if (document.hidden || Date.now() - last < seconds * 1000 - 50) return;
      last = Date.now();
      next();
    };
    const timer = setInterval(check, Math.min(seconds * 1000, 1000));
    document.addEventListener("visibilitychange", check);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", check);
    };
  }, [seconds]);
  return [tick, next];
};
