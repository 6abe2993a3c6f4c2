// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace sobolev::detail {

/// The report's style sheet. Light or dark as the reader's system is; moment0 … moment4 are the colours of
/// profiles at successive times.
inline constexpr const char* report_style = R"css(
:root { color-scheme: light dark; --page: #fbfbfa; --card: #ffffff; --ink: #1d2129; --soft: #5d6470; --line: #d9dce1;
  --grid: #eceef1; --first: #2a5db0; --second: #b3402e; --warn: #8a4b00; --warn-card: #fff6e5; --warn-line: #e3b66b;
  --moment0: #23408e; --moment1: #15808a; --moment2: #5b8c1f; --moment3: #bf7a0a; --moment4: #b3402e; }
@media (prefers-color-scheme: dark) { :root { --page: #14161a; --card: #1c1f25; --ink: #e6e8ec; --soft: #9aa2ae;
  --line: #3a3f48; --grid: #2a2e35; --first: #7fb0ff; --second: #ff9a82; --warn: #ffc46b; --warn-card: #2b2417;
  --warn-line: #6b5323; --moment0: #8fa8ff; --moment1: #55cbd3; --moment2: #a5d75a; --moment3: #f2b84b;
  --moment4: #ff8f78; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere; }
main { max-width: 1400px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { margin: 0; font-size: clamp(22px, 3.2vw, 30px); line-height: 1.2; }
h2 { margin: 40px 0 12px; font-size: 20px; }
.subtitle { margin: 6px 0 0; color: var(--soft); }
.doubts { margin: 20px 0 0; padding: 12px 20px; background: var(--warn-card); border: 1px solid var(--warn-line);
  border-radius: 8px; }
.doubts h2 { margin: 0 0 4px; color: var(--warn); }
.doubts ul, .notes { margin: 0; padding-left: 20px; }
.notes { margin-top: 16px; color: var(--soft); }
.results { display: grid; grid-template-columns: repeat(auto-fill, minmax(170px, 1fr)); gap: 12px; margin: 24px 0 0; padding: 0; }
.results div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; }
.results dt { color: var(--soft); font-size: 14px; }
.results dd { margin: 0; font-size: 24px; font-variant-numeric: tabular-nums; }
.figures { display: grid; grid-template-columns: minmax(0, 1fr); gap: 16px; margin: 0 0 16px; }
@media (min-width: 960px) { .figures.curves { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (min-width: 760px) { .figures.two, .figures.three, .figures.compared { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
@media (min-width: 760px) and (max-width: 1199.9px) {
  .figures.compared figure:nth-child(3) { grid-column: 1 / -1; }
  .figures.compared figure:nth-child(3) svg { max-width: 440px; } }
@media (min-width: 1200px) { .figures.three, .figures.compared { grid-template-columns: repeat(3, minmax(0, 1fr)); } }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px;
  display: flex; flex-direction: column; justify-content: space-between; }
figcaption { color: var(--soft); font-size: 14px; text-align: center; }
svg { display: block; width: 100%; height: auto; max-width: 640px; margin: 0 auto; }
svg text { fill: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; }
svg text.label { fill: var(--ink); font-size: 13px; }
.figures.two svg { max-width: 480px; }
.grid { stroke: var(--grid); fill: none; }
.axis { stroke: var(--soft); fill: none; }
.curve { stroke: var(--first); fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.second { stroke: var(--second); }
.dashed { stroke: var(--second); stroke-dasharray: 6 5; }
.band { stroke-width: 6; opacity: 0.3; }
.moment0 { stroke: var(--moment0); }
.moment1 { stroke: var(--moment1); }
.moment2 { stroke: var(--moment2); }
.moment3 { stroke: var(--moment3); }
.moment4 { stroke: var(--moment4); }
.end { fill: var(--first); }
.end.second { fill: var(--second); stroke: none; }
.scroll { overflow-x: auto; }
.scroll td, .scroll th { overflow-wrap: break-word; }
@media (max-width: 959.9px) { .scroll td, .scroll th { padding: 6px 8px; } }
table { border-collapse: collapse; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
td, th { padding: 6px 16px; border-bottom: 1px solid var(--grid); vertical-align: top; text-align: left; }
th { color: var(--soft); font-weight: 500; font-size: 14px; }
td:first-child { color: var(--soft); }
.settings td:first-child { white-space: nowrap; }
td.number { white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
td code { min-width: 10em; display: inline-block; overflow-wrap: anywhere; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 16px; overflow-x: auto;
  font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace; }
summary { cursor: pointer; font-size: 20px; font-weight: 600; margin: 40px 0 12px; }
)css";

}  // namespace sobolev::detail
