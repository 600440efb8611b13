"use strict";
// Draws the questions from the data in the page. Every text is put in as text, never as HTML.
(() => {
  const BATCH = 200;
  const data = JSON.parse(document.getElementById("data").textContent);
  const find = (id) => document.getElementById(id);
  const list = find("list");
  const more = find("more");
  const fields = {
    kinds: find("by-kinds"),
    blames: find("by-blames"),
    tags: find("by-tags"),
    words: find("by-words"),
  };
  const nodes = new Map();
  const searched = new Map();
  let matching = [];
  let shown = 0;

  function make(name, attributes, ...content) {
    const node = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...content.flat().filter((part) => part !== null && part !== undefined));
    return node;
  }

  const unseen = (words) => make("span", { class: "unseen" }, words);

  function folded(name, ...content) {
    return make("details", { class: "folded" }, make("summary", {}, name), ...content);
  }

  // A paragraph with the places of its quotes marked; places that overlap become one.
  function marked(text, places) {
    const parts = [];
    let from = 0;
    for (const [start, end] of [...places].sort((a, b) => a[0] - b[0])) {
      if (end <= from) continue;
      const begin = Math.max(start, from);
      parts.push(text.slice(from, begin));
      parts.push(make("mark", {}, unseen("quoted: "), text.slice(begin, end), unseen(" (end of quote) ")));
      from = end;
    }
    return make("blockquote", {}, ...parts, text.slice(from));
  }

  const place = (one) => `${one.document}, paragraph ${one.paragraph}${one.page ? `, page ${one.page}` : ""}`;

  function cited(run, prefix) {
    const groups = new Map();
    for (const one of run.citations) {
      const key = one.key === null ? `${one.document}#${one.paragraph}` : one.key;
      groups.set(key, [...(groups.get(key) || []), one]);
    }
    return [...groups.values()].map((group) => {
      const [first] = group;
      const labels = group.map((one) => make("span", { id: `${prefix}-${one.label}` }, `[${one.label}] `));
      const known = first.gold ? make("strong", {}, " – known to answer the question") : null;
      const text = first.key === null ? null : data.paragraphs[first.key];
      const lost = group.filter((one) => text === null || one.mark === null);
      const content = text === null ? [] : [marked(text, group.flatMap((one) => (one.mark ? [one.mark] : [])))];
      for (const one of lost) {
        const why = text === null ? "Quoted" : "Quoted, but it does not stand there now";
        content.push(make("p", {}, `${why}: `, make("q", {}, one.quote)));
      }
      return make("figure", {}, make("figcaption", {}, ...labels, place(first), known), ...content);
    });
  }

  function answered(run, prefix) {
    if (run.error !== null) return [make("p", { class: "unsupported" }, run.error)];
    if (run.refusal !== null) return [make("p", {}, `Refused: ${run.refusal}.`), make("p", { class: "note" }, run.text)];
    if (!run.sentences.length) return [make("p", {}, run.text)];
    const lines = run.sentences.map(([text, labels, verdict, support]) => {
      const links = labels.map((label) => make("a", { href: `#${prefix}-${label}` }, `[${label}]`));
      const told = make("span", { class: `verdict ${verdict}` }, ` ${verdict} (${support.toFixed(2)})`);
      return make("li", {}, text, " ", ...links.flatMap((link) => [link, " "]), told);
    });
    return [make("ul", { class: "sentences" }, ...lines)];
  }

  function drawRun(run, number, position) {
    const prefix = `c-${position}-${number}`;
    const facts = [];
    if (run.confidence !== null && run.confidence !== undefined) facts.push(`Confidence ${run.confidence.toFixed(2)}.`);
    if (run.seconds !== null) facts.push(`${run.seconds} seconds.`);
    const ranks = run.ranks.map(([stage, rank]) => `${rank === null ? "not found" : rank} (${stage})`);
    if (ranks.length) facts.push(`Rank of the first paragraph that answers: ${ranks.join(", ")}.`);
    const values = run.values.map(([name, value]) => make("li", {}, make("code", {}, name), ` ${value}`));
    const name = data.runs.length > 1 ? `${data.runs[number]}: ${run.told.toLowerCase()}` : "Answer";
    return make(
      "div",
      {},
      make("h3", {}, name),
      ...answered(run, prefix),
      run.blame ? make("p", {}, make("strong", {}, "What lost it: "), run.blame) : null,
      make("p", { class: "note" }, facts.join(" ")),
      ...(run.citations.length ? [make("h3", {}, "Cited"), ...cited(run, prefix)] : []),
      folded("Figures of this answer", make("ul", { class: "values" }, ...values)),
    );
  }

  function lookedFor(gold) {
    const parts = [make("h3", {}, "Looked for")];
    if (gold.refusal) parts.push(make("p", {}, "A refusal: the documents do not hold the answer."));
    if (gold.answers.length) {
      const entries = gold.answers.map((answer) => make("li", {}, answer));
      parts.push(make("p", {}, gold.answers.length > 1 ? "Any of these:" : "This:"), make("ul", {}, ...entries));
    }
    if (gold.needed.length) {
      parts.push(make("p", {}, "All of these:"), make("ul", {}, ...gold.needed.map((entry) => make("li", {}, entry))));
    }
    if (gold.forbidden.length) {
      const entries = gold.forbidden.map((entry) => make("li", {}, entry));
      parts.push(make("p", {}, "None of these:"), make("ul", {}, ...entries));
    }
    const paragraphs = gold.evidence.map((one) => {
      const text = one.key === null ? "This paragraph could not be read." : data.paragraphs[one.key];
      const sentence = one.sentence ? make("p", {}, "The sentence: ", make("q", {}, one.sentence)) : null;
      return make("figure", {}, make("figcaption", {}, place(one)), make("blockquote", {}, text), sentence);
    });
    if (paragraphs.length) {
      const what = gold.refusal ? "Paragraphs that look as if they answered" : "Paragraphs known to answer";
      parts.push(folded(`${what} (${paragraphs.length})`, ...paragraphs));
    }
    return make("div", {}, ...parts);
  }

  function draw(position) {
    const question = data.questions[position];
    const chips = question.runs.flatMap((run, number) => [
      number ? make("span", {}, "then") : null,
      make("span", { class: `chip ${run.outcome}` }, run.told),
    ]);
    const summary = make(
      "summary",
      {},
      ...chips,
      make("span", { class: "asked" }, question.question),
      make("span", { class: "id" }, [question.id, ...question.tags].join(" · ")),
    );
    const details = make("details", { class: "question" }, summary);
    details.addEventListener("toggle", () => {
      if (!details.open || details.childElementCount > 1) return;
      const runs = question.runs.map((run, number) => drawRun(run, number, position));
      const body = make("div", { class: "body" }, make("div", { class: "pair" }, ...runs), lookedFor(question.gold));
      details.append(body);
    });
    return make("li", {}, details);
  }

  function node(position) {
    if (!nodes.has(position)) nodes.set(position, draw(position));
    return nodes.get(position);
  }

  function wordsOf(position) {
    if (!searched.has(position)) {
      const { id, question, tags, gold, runs } = data.questions[position];
      const said = runs.flatMap((run) => [run.text, run.error || "", ...run.citations.map((one) => one.document)]);
      const known = [...gold.answers, ...gold.needed, ...gold.evidence.map((one) => one.document)];
      searched.set(position, [id, question, ...tags, ...said, ...known].join("\n").toLowerCase());
    }
    return searched.get(position);
  }

  function fits(position) {
    const question = data.questions[position];
    const wanted = fields.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    return (
      (!fields.kinds.value || question.kinds.includes(fields.kinds.value)) &&
      (!fields.blames.value || question.blame === fields.blames.value) &&
      (!fields.tags.value || question.tags.includes(fields.tags.value)) &&
      wanted.every((word) => wordsOf(position).includes(word))
    );
  }

  function showMore(upTo) {
    const end = Math.min(matching.length, Math.max(shown + BATCH, upTo || 0));
    list.append(...matching.slice(shown, end).map(node));
    shown = end;
    more.hidden = shown >= matching.length;
    more.textContent = `Show more (${matching.length - shown} left)`;
  }

  function apply() {
    matching = data.questions.map((_, position) => position).filter(fits);
    list.replaceChildren();
    shown = 0;
    showMore();
    find("count").textContent = `${matching.length} of ${data.questions.length} questions`;
  }

  function setFields(values) {
    for (const [name, field] of Object.entries(fields)) field.value = values[name] || "";
    apply();
  }

  // A link such as #q-s001 opens that question.
  function openLinked() {
    if (!location.hash.startsWith("#q-")) return;
    const wanted = decodeURIComponent(location.hash.slice(3));
    const position = data.questions.findIndex((question) => question.id === wanted);
    if (position < 0) return;
    setFields({});
    if (position >= shown) showMore(position + 1);
    const details = node(position).firstElementChild;
    details.open = true;
    details.firstElementChild.focus();
    details.scrollIntoView();
  }

  for (const name of ["kinds", "blames", "tags"]) {
    const options = data[name].map(([value, words, count]) => make("option", { value }, `${words} (${count})`));
    fields[name].append(...options);
    fields[name].closest("p").hidden = !options.length;
    fields[name].addEventListener("change", apply);
  }
  let waiting = 0;
  fields.words.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(apply, 120);
  });
  find("reset").addEventListener("click", () => setFields({}));
  more.addEventListener("click", () => {
    const first = shown;
    showMore();
    node(matching[first]).querySelector("summary").focus();
  });
  for (const button of document.querySelectorAll("button[data-field]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      setFields({ [button.dataset.field]: button.dataset.value });
      find("questions-heading").focus();
      find("questions").scrollIntoView();
    });
  }
  find("filter").hidden = false;
  apply();
  openLinked();
  addEventListener("hashchange", openLinked);
})();
