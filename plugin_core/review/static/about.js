"use strict";
// How it was made: settings, color, versions, command line, every check.

function showAbout(data) {
  const table = (rows) => element("table", {}, rows.map(([name, value]) =>
    element("tr", {}, [element("th", { scope: "row", text: name }), element("td", { text: value })])));
  $("facts").replaceChildren(...data.about.map(([title, rows]) =>
    element("section", {}, [element("h3", { text: title }), table(rows)])));
  $("command").textContent = data.command;
  $("checks").replaceChildren(...data.checks.map(([name, verdict, found]) =>
    element("tr", {}, [element("th", { scope: "row", text: name }), element("td", { text: verdict }), element("td", { text: found })])));
}
