/** The view in the address of the page. */

import { useEffect, useState } from "preact/hooks";

import { hashOf, type View, viewOf } from "../model/view.ts";

/** The current view, and a way to go to another; each is a step in the history of the browser. */
export const useView = (): [View, (change: Partial<View>) => void] => {
  const [view, set] = useState(() => viewOf(location.hash));
  useEffect(() => {
    const follow = () => set(viewOf(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  const go = (change: Partial<View>) => {
    location.hash = hashOf({ ...viewOf(location.hash), ...change });
  };
  return [view, go];
};
