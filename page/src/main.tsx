import { render } from "preact";

import { App } from "./view/app.tsx";
import "uplot/dist/uPlot.min.css";
import "./view/style.css";

const root = document.getElementById("page");
if (root !== null) render(<App />, root);
