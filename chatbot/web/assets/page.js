/* The page's behaviour: delegated events, one fetch a question, pieces of HTML that the server has escaped.
   Is: what moves, opens and is remembered. Is not: words about answers; those come from the server. */
(function () {
  "use strict";

  const MAX_QUESTION_CHARS = 4000;
  // Long enough that typing a word makes one request, short enough not to be noticed.
  const TYPING_PAUSE_MS = 90;
  const TOAST_MS = 6000;
  const $ = (selector, within) => (within || document).querySelector(selector);
  const $$ = (selector, within) => Array.from((within || document).querySelectorAll(selector));

  const state = { conversation: null, article: null, articleTitle: "", asking: null, opener: null, started: false, restoring: false };

  /* ---- small tools ---- */
  const remembered = {
    get(name) { try { return localStorage.getItem("followup." + name); } catch (error) { return null; } },
    set(name, value) { try { localStorage.setItem("followup." + name, value); } catch (error) { /* private window */ } },
  };

  function element(tag, attributes, text) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function toast(words) {
    const place = $("#toast");
    place.textContent = words;
    place.classList.add("shown");
    clearTimeout(toast.timer);
    toast.timer = setTimeout(() => place.classList.remove("shown"), TOAST_MS);
  }

  /* Not scrollIntoView: that would move the page around the panes as well. */
  function bringUp(part, pane, share) {
    const top = part.getBoundingClientRect().top - pane.getBoundingClientRect().top + pane.scrollTop;
    pane.scrollTop = top - 12 - pane.clientHeight * (share || 0);
  }

  class Refused extends Error {}

  async function call(path, options) {
    let response;
    try {
      response = await fetch(path, options);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Refused("The server cannot be reached. Is it still running?");
    }
    if (response.ok) return response;
    let words = "";
    try {
      const body = await response.json();
      words = body.error || (typeof body.detail === "string" ? body.detail : "");
    } catch (error) { /* no JSON: the status says enough */ }
    if (response.status === 429 && !words) words = "Too many questions at once. Please wait a moment.";
    if (response.status === 503 && !words) words = "The server is busy. Please try again in a moment.";
    throw new Refused(words || "The server could not do that (" + response.status + ").");
  }

  const read = async (path) => (await call(path, { headers: { Accept: "application/json" } })).json();
  const send = (path, body, signal) => call(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body), signal: signal,
  });
  const guarded = (work) => work.catch((error) => {
    if (error instanceof Refused) toast(error.message); else if (error.name !== "AbortError") throw error;
  });

  function paused(work) {
    let timer = null;
    return () => { clearTimeout(timer); timer = setTimeout(work, TYPING_PAUSE_MS); };
  }

  /* ---- where we are: the address keeps conversation and article, for a reload and for the back button ---- */
  function noteAddress(isStep) {
    const parts = new URLSearchParams();
    if (state.conversation) parts.set("c", state.conversation);
    if (state.article) parts.set("a", state.article);
    const address = location.pathname + location.search + (parts.toString() ? "#" + parts : "");
    if (address === location.pathname + location.search + location.hash) return;
    history[isStep && !state.restoring ? "pushState" : "replaceState"](null, "", address);
  }

  async function restore() {
    const wanted = new URLSearchParams(location.hash.slice(1));
    const article = wanted.get("a"), conversation = wanted.get("c"), view = $("#followup").dataset.view;
    state.restoring = true;
    try {
      if (article && article !== state.article) await openArticle(article);
      else if (!article && state.article !== null) closeArticle();
      if (conversation && conversation !== state.conversation) await openConversation(conversation, article);
      else if (!conversation && state.conversation !== null) newConversation();
    } finally {
      state.restoring = false;
    }
    show(view);
    noteAddress();
  }

  function show(view) {
    $("#followup").dataset.view = view;
    $$(".views button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.view === view)));
  }

  function showTab(tab) {
    closePassages();
    $$(".tabs button").forEach((button) => button.setAttribute("aria-pressed", String(button.dataset.tab === tab)));
    const reading = tab === "library" && state.article !== null;
    $("#library").hidden = tab !== "library" || reading;
    $("#reading").hidden = !reading;
    $("#conversations").hidden = tab !== "conversations";
    $("#review-status").hidden = tab === "conversations";
    if (tab === "conversations") listConversations();
  }

  /* ---- articles ---- */
  let libraryStatus = "";

  async function listArticles() {
    const find = $("#find").value.trim();
    const found = await read("/page/library?find=" + encodeURIComponent(find));
    if ($("#find").value.trim() !== find) return;
    $("#titles").innerHTML = found.html;
    $("#found").textContent = find ? found.count + (found.count === 1 ? " article" : " articles") : "";
    libraryStatus = found.status;
    if (state.article === null) $("#review-status").innerHTML = libraryStatus;
  }

  async function openArticle(id, start, end) {
    if (id !== state.article) {
      const found = await read("/page/article?id=" + encodeURIComponent(id));
      state.article = found.id;
      state.articleTitle = found.title;
      $("#article").innerHTML = found.html;
      $("#review-status").innerHTML = found.status;
      anchorTo(found.title);
    }
    showTab("library");
    show("read");
    $$("#article .here").forEach((block) => block.classList.remove("here"));
    let first = null;
    if (start !== undefined && end > start) {
      for (const block of $$("#article .block")) {
        if (Number(block.dataset.start) < end && Number(block.dataset.end) > start) {
          block.classList.add("here");
          first = first || block;
        }
      }
    }
    if (first) bringUp(first, $("#reading"), 0.3);
    else $("#reading").scrollTop = 0;
    const heading = $("#article h2");
    if (heading && !state.restoring) heading.focus({ preventScroll: true });
    fillExamples();
    noteAddress(true);
  }

  function closeArticle() {
    state.article = null;
    anchorTo(null);
    $("#article").replaceChildren();
    $("#review-status").innerHTML = libraryStatus;
    showTab("library");
    fillExamples();
    noteAddress(true);
    if (!state.restoring) $("#find").focus();
  }

  function anchorTo(title) {
    /* A conversation that has begun keeps what it stands on; looking something up must not turn it. */
    const own = $("input[name=anchor][value=article]");
    own.disabled = title === null;
    if (title === null || own.checked || !$("#conversation .turn")) standOn(title !== null && !$("#conversation .turn"));
    $("#anchor-article").textContent = title === null ? "This article" : title;
    $("#anchor-article").title = title === null ? "Open an article first" : title;
  }

  function standOn(article) {
    $("input[name=anchor][value=article]").checked = article;
    $("input[name=anchor][value=library]").checked = !article;
  }

  const anchored = () => ($("input[name=anchor][value=article]").checked ? state.article : null);

  function toggleReferences(marker) {
    const open = marker.getAttribute("aria-expanded") === "true";
    $$("#article .reference-card").forEach((card) => card.remove());
    $$("#article .marker[aria-expanded=true]").forEach((other) => other.setAttribute("aria-expanded", "false"));
    if (open) return;
    const card = element("div", { class: "reference-card", role: "group", "aria-label": "References cited here" });
    const list = element("ul", { class: "references" });
    for (const number of marker.dataset.references.split(" ")) {
      const entry = $('#article .all-references [data-reference="' + CSS.escape(number) + '"]');
      if (entry) list.append(entry.cloneNode(true));
    }
    card.append(list);
    const cell = marker.closest("td, th, h3, h4, h5, h6");
    if (cell && !cell.matches("td")) cell.after(card);
    else if (cell) cell.append(card);
    else marker.closest(".block, p, li").append(card);
    marker.setAttribute("aria-expanded", "true");
  }

  /* ---- the conversation ---- */
  function welcome() {
    const place = $("#conversation");
    place.replaceChildren();
    const box = element("div", { class: "welcome" });
    box.append(element("h3", {}, "Ask, and check the quote."));
    box.append(element("p", {},
      "Answers are quotes from the articles, each with its source beside it. What the articles do not say is not answered."));
    box.append(element("ul", { class: "examples", "aria-label": "Examples" }));
    place.append(box);
    fillExamples();
  }

  function fillExamples() {
    const list = $(".welcome .examples");
    if (!list) return;
    const own = $$("#article .related-articles button").map((button) => button.textContent);
    const titles = $$("#titles .title span:first-child").map((title) => title.textContent).filter((t) => t.endsWith("?"));
    const apart = Math.max(1, Math.floor(titles.length / 4));
    const shown = (state.article ? own : titles.filter((title, place) => place % apart === 0)).slice(0, 4);
    list.replaceChildren(...shown.map((text) => {
      const item = element("li");
      item.append(element("button", { type: "button", class: "example-question", "data-question": text }, text));
      return item;
    }));
  }

  function newConversation() {
    stop();
    state.conversation = null;
    $("#conversation-title").textContent = "New conversation";
    $("#export-menu").hidden = true;
    closePassages();
    $("#passages").replaceChildren();
    welcome();
    standOn(state.article !== null);
    noteAddress(true);
    show("ask");
    if (!state.restoring) $("#question").focus();
  }

  /* Room below the newest turn, so that its question can stand at the top while the answer arrives. */
  function makeRoom(turn) {
    $$("#conversation .turn").forEach((other) => { other.style.minHeight = ""; });
    turn.style.minHeight = $("#conversation").clientHeight - 40 + "px";
    bringUp(turn, $("#conversation"));
  }

  function settle(turn) {
    /* Ids name the newest card and answer only; earlier ones keep their classes. */
    $$("#conversation .emergency").forEach((card) => card.removeAttribute("id"));
    const cards = $$("#conversation .emergency");
    if (cards.length) cards[cards.length - 1].id = "emergency";
    fillPassages(turn);
  }

  async function ask(question) {
    question = question.trim();
    if (!question || state.asking) return;
    if (question.length > MAX_QUESTION_CHARS) {
      toast("The question has " + question.length + " characters; the most is " + MAX_QUESTION_CHARS + ". Please shorten it.");
      return;
    }
    closePassages();
    show("ask");
    const place = $("#conversation");
    const opening = $(".welcome", place);
    if (opening) opening.remove();
    const pending = element("article", { class: "turn pending", "aria-busy": "true" });
    pending.append(element("p", { class: "asked" }, question), element("p", { class: "working" }, "Searching the articles…"));
    place.append(pending);
    makeRoom(pending);
    const box = $("#question");
    box.value = "";
    grow(box);
    const asking = new AbortController();
    state.asking = asking;
    busy(true);
    try {
      const response = await send("/page/ask", {
        question: question, conversation: state.conversation, article: anchored(), audience: $("#audience").value,
      }, asking.signal);
      await receive(response, pending);
    } catch (error) {
      fail(pending, question, error);
    } finally {
      state.asking = null;
      busy(false);
    }
  }

  /* What a language model wrote, sentence by sentence as each passes its check; the whole turn replaces it. */
  function showChecked(pending, html) {
    let list = $(".statements", pending);
    if (!list) {
      list = element("ol", { class: "statements" });
      $(".working", pending).before(list);
      $(".working", pending).textContent = "Each sentence is shown once it is checked. Sources and notes follow…";
    }
    list.insertAdjacentHTML("beforeend", html);
    makeRoom(pending);
  }

  async function receive(response, pending) {
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    let rest = "";
    let turn = null;
    for (;;) {
      const { value, done } = await reader.read();
      rest += decoder.decode(value || new Uint8Array(), { stream: !done });
      const lines = rest.split("\n");
      rest = lines.pop();
      for (const line of lines) {
        const piece = JSON.parse(line);
        if (piece.event === "start") {
          const holder = element("div");
          holder.innerHTML = piece.html;
          turn = holder.firstElementChild;
          turn.classList.add("fresh");
          pending.replaceWith(turn);
          makeRoom(turn);
          state.conversation = piece.conversation;
          if (piece.title) nameConversation(piece.title);
        } else if (piece.event === "checked") {
          showChecked(pending, piece.html);
        } else if (piece.event === "failed") {
          throw new Refused(piece.words);
        } else if (piece.event === "statement") {
          $(".statements", turn).insertAdjacentHTML("beforeend", piece.html);
        } else {
          turn.insertAdjacentHTML("beforeend", piece.html);
          $("#disclaimer").textContent = piece.disclaimer;
        }
      }
      if (done) break;
    }
    if (!turn || !$(".actions", turn)) throw new Refused("The answer was cut off. Please ask again.");
    settle(turn);
    if (!$("#conversations").hidden) guarded(listConversations());
    noteAddress();
  }

  function fail(pending, question, error) {
    const stopped = error.name === "AbortError";
    if (!stopped && !(error instanceof Refused)) console.error(error);
    const words = stopped ? "Stopped." : error instanceof Refused ? error.message : "The answer could not be shown.";
    pending.classList.remove("pending");
    pending.removeAttribute("aria-busy");
    const said = element("p", { class: "failed", role: "alert" }, words + " ");
    said.append(element("button", { type: "button", class: "link retry", "data-question": question }, "Try again"));
    $$(".working", pending).forEach((line) => line.remove());
    pending.append(said);
  }

  function busy(is) {
    $("#send").hidden = is;
    $("#stop").hidden = !is;
    $("#conversation").setAttribute("aria-busy", String(is));
  }

  function stop() {
    if (state.asking) state.asking.abort();
  }

  function nameConversation(title) {
    $("#conversation-title").textContent = title;
    showExports();
  }

  function showExports() {
    const formats = [["markdown", "Markdown"], ["html", "HTML"], ["json", "JSON"], ["ris", "References, RIS"], ["bibtex", "References, BibTeX"]];
    $("#exports").replaceChildren(...formats.map(([format, words]) => {
      const item = element("li");
      item.append(element("a", {
        href: "/page/conversations/" + encodeURIComponent(state.conversation) + "/export?format=" + format, download: "",
      }, words));
      return item;
    }));
    $("#export-menu").hidden = false;
  }

  async function openConversation(id, article) {
    stop();
    const kept = await read("/page/conversations/" + encodeURIComponent(id));
    state.conversation = kept.id;
    $("#conversation-title").textContent = kept.title;
    $("#conversation").innerHTML = kept.html;
    showExports();
    const turns = $$("#conversation .turn");
    /* The address says which article was read at last; without one, that on which the conversation began. */
    if (!article && kept.article && kept.article !== state.article) await openArticle(kept.article);
    standOn(kept.article !== null && kept.article === state.article);
    show("ask");
    if (turns.length) {
      settle(turns[turns.length - 1]);
      makeRoom(turns[turns.length - 1]);
    }
    noteAddress(true);
  }

  async function listConversations() {
    const find = $("#find-conversation").value.trim();
    const found = await read("/page/conversations?find=" + encodeURIComponent(find));
    const list = element("ul", { class: "kept" });
    for (const head of found.conversations) {
      const item = element("li", { "data-conversation": head.id });
      const open = element("button", { type: "button", class: "open-conversation" });
      const when = new Date(head.updated_at);
      open.append(element("span", { class: "kept-title" }, head.title),
        element("span", { class: "facts" }, when.toLocaleString([], { dateStyle: "medium", timeStyle: "short" }) +
          " · " + head.turns + (head.turns === 1 ? " question" : " questions")));
      item.append(open,
        element("button", { type: "button", class: "link rename", "aria-label": "Rename " + head.title }, "Rename"),
        element("button", { type: "button", class: "link delete", "aria-label": "Delete " + head.title }, "Delete"));
      list.append(item);
    }
    const none = element("p", { class: "more" }, find ? "No conversation holds these words." : "No conversations yet.");
    $("#kept").replaceChildren(found.conversations.length ? list : none);
  }

  function rename(item) {
    if ($("form.renaming", item)) return;
    const form = element("form", { class: "renaming" });
    const box = element("input", { type: "text", "aria-label": "New title", maxlength: "200", required: "" });
    box.value = $(".kept-title", item).textContent;
    form.append(box, element("button", { type: "submit", class: "small" }, "Save"));
    item.prepend(form);
    box.focus();
    box.select();
  }

  async function saveTitle(form) {
    const id = form.closest("li").dataset.conversation;
    const path = "/page/conversations/" + encodeURIComponent(id) + "/title";
    const kept = await (await send(path, { title: $("input", form).value })).json();
    if (id === state.conversation) $("#conversation-title").textContent = kept.title;
    await listConversations();
  }

  async function remove(button) {
    /* Two clicks on the same button: a dialogue would be one more thing to read. */
    if (button.dataset.sure !== "yes") {
      button.dataset.sure = "yes";
      button.textContent = "Delete for good?";
      return;
    }
    const id = button.closest("li").dataset.conversation;
    await send("/page/conversations/" + encodeURIComponent(id) + "/delete", {});
    if (id === state.conversation) newConversation();
    await listConversations();
  }

  /* ---- sources ---- */
  function fillPassages(turn) {
    const panel = $("#passages");
    const template = turn && $("template.turn-passages", turn);
    panel.replaceChildren();
    panel.dataset.position = turn ? turn.dataset.position : "";
    if (!template || !template.content.childElementCount) return;
    const head = element("div", { class: "passages-head" });
    head.append(element("h2", {}, "Sources of this answer"),
      element("button", { type: "button", class: "small", id: "close-passages", "aria-label": "Close sources" }, "Close"));
    panel.append(head, template.content.cloneNode(true));
  }

  function openPassage(opener) {
    const turn = opener.closest(".turn");
    const panel = $("#passages");
    if (panel.dataset.position !== turn.dataset.position || !panel.childElementCount) fillPassages(turn);
    panel.hidden = false;
    $("#followup").classList.add("sources-open");
    $$(".citation.current, .source.current").forEach((other) => other.classList.remove("current"));
    opener.classList.add("current");
    state.opener = opener;
    const card = $$(".passage", panel).find((other) => other.dataset.passage === opener.dataset.passage &&
      other.dataset.number === opener.dataset.number);
    if (!card) return;
    $$(".passage.current", panel).forEach((other) => other.classList.remove("current"));
    card.classList.add("current");
    $$(".quote", panel).forEach((quote) => quote.classList.toggle(
      "current", quote.dataset.statement === opener.dataset.statement && card.contains(quote)));
    card.focus({ preventScroll: true });
    const quote = $(".quote.current", card) || $(".quote", card) || card;
    const head = $(".passages-head", panel).offsetHeight;
    const top = card.getBoundingClientRect().top - panel.getBoundingClientRect().top + panel.scrollTop - head - 8;
    const quoteTop = quote.getBoundingClientRect().top - panel.getBoundingClientRect().top + panel.scrollTop;
    /* The card's head if quote and head fit together, else the quote a third down. */
    panel.scrollTop = quoteTop - top < panel.clientHeight * 0.7 ? top : quoteTop - panel.clientHeight / 3;
    /* On a phone the panel covers the lower part: keep the statement in sight above it. */
    if (matchMedia("(max-width: 899px)").matches) {
      bringUp(opener.closest(".statement") || opener, $("#conversation"));
    }
  }

  function closePassages() {
    const panel = $("#passages");
    if (!panel || panel.hidden) return false;
    panel.hidden = true;
    $("#followup").classList.remove("sources-open");
    $$(".citation.current, .source.current").forEach((other) => other.classList.remove("current"));
    if (state.opener && document.contains(state.opener)) state.opener.focus({ preventScroll: true });
    state.opener = null;
    return true;
  }

  /* ---- the box ---- */
  function grow(box) {
    box.style.height = "auto";
    box.style.height = Math.min(box.scrollHeight + 2, 180) + "px";
    const over = box.value.length - MAX_QUESTION_CHARS;
    $("#length").textContent = over > 0 ? over + " characters too many" : "";
  }

  function edit(question) {
    const box = $("#question");
    box.value = question;
    show("ask");
    grow(box);
    box.focus();
    box.setSelectionRange(question.length, question.length);
  }

  async function copy(button) {
    const text = button.dataset.text;
    try {
      await navigator.clipboard.writeText(text);
    } catch (error) {
      const area = element("textarea", { class: "visually-hidden", "aria-hidden": "true" });
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    toast("Copied, with its references.");
  }

  async function giveFeedback(form) {
    const values = new FormData(form);
    const about = form.dataset.citation;
    const path = "/page/conversations/" + encodeURIComponent(state.conversation) + "/feedback";
    await send(path, {
      position: Number(form.dataset.position), kind: values.get("kind"), comment: values.get("comment") || "",
      citation: about ? Number(about) : null,
    });
    $(".sent", form).textContent = "Thank you. Kept.";
  }

  /* ---- colours and reader ---- */
  function colours(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    const button = $("#theme");
    if (button) button.setAttribute("aria-pressed", String(dark));
    return dark;
  }

  async function showDisclaimer() {
    const audience = $("#audience").value;
    const found = await read("/page/reader?audience=" + audience);
    $("#disclaimer").textContent = found.disclaimer;
    $("#sign-out").hidden = !found.login;
  }

  /* ---- events ---- */
  const clicks = [
    [".citation, .source", openPassage],
    [".related-question, .choice, .again, .retry, .example-question, .ask-this", (button) => {
      if (button.matches(".retry")) button.closest(".turn").remove();
      ask(button.dataset.question);
    }],
    [".edit", (button) => edit(button.dataset.question)],
    [".copy", copy],
    [".open-article", (button) => guarded(openArticle(button.dataset.document,
      button.dataset.start === undefined ? undefined : Number(button.dataset.start), Number(button.dataset.end)))],
    [".marker[data-references]", toggleReferences],
    ["#back", closeArticle],
    [".views button", (button) => { closePassages(); show(button.dataset.view); }],
    [".tabs button", (button) => showTab(button.dataset.tab)],
    ["#new", newConversation],
    ["#stop", stop],
    ["#close-passages", closePassages],
    [".open-conversation", (button) => guarded(openConversation(button.closest("li").dataset.conversation))],
    [".rename", (button) => rename(button.closest("li"))],
    [".delete", (button) => guarded(remove(button))],
    ["#theme", () => {
      const next = colours(document.documentElement.dataset.theme) ? "light" : "dark";
      remembered.set("theme", next);
      colours(next);
    }],
    ["#sign-out", () => guarded(send("/sign-out", {}).then(() => location.assign("/sign-in")))],
    [".skip", () => $("#question").focus()],
  ];

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element) || !event.target.closest("#followup")) return;
    const menu = $("#export-menu");
    if (menu && menu.open && !event.target.closest("#export-menu summary")) setTimeout(() => { menu.open = false; });
    for (const [selector, act] of clicks) {
      const target = event.target.closest(selector);
      if (target) {
        if (target.matches(".skip")) event.preventDefault();
        act(target);
        return;
      }
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.closest("#followup")) return;
    event.preventDefault();
    if (form.id === "composer") ask($("#question").value);
    else if (form.matches(".renaming")) guarded(saveTitle(form));
    else if (form.matches(".feedback-form")) guarded(giveFeedback(form));
  });

  document.addEventListener("keydown", (event) => {
    if (!$("#followup") || event.isComposing) return;
    const typing = event.target instanceof Element && event.target.matches("input, textarea, select");
    if (event.key === "Enter" && event.target.id === "question" && !event.shiftKey) {
      event.preventDefault();
      ask(event.target.value);
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      show("ask");
      $("#question").focus();
    } else if (event.key === "Escape") {
      const menu = $("#export-menu");
      if (menu.open) menu.open = false;
      else if (!closePassages()) $$(".reference-card").forEach((card) => card.remove());
    }
  });

  document.addEventListener("input", (event) => {
    if (event.target.id === "question") grow(event.target);
    else if (event.target.id === "find") searchArticles();
    else if (event.target.id === "find-conversation") searchConversations();
  });
  const searchArticles = paused(() => guarded(listArticles()));
  const searchConversations = paused(() => guarded(listConversations()));

  document.addEventListener("change", (event) => {
    if (event.target.id !== "audience") return;
    remembered.set("audience", event.target.value);
    guarded(showDisclaimer());
  });

  /* ---- start, when Gradio has drawn the frame ---- */
  async function start() {
    if (state.started) return;
    state.started = true;
    const audience = remembered.get("audience");
    if (audience && $('#audience option[value="' + CSS.escape(audience) + '"]')) $("#audience").value = audience;
    colours(remembered.get("theme"));
    welcome();
    guarded(showDisclaimer());
    await guarded(listArticles());
    fillExamples();
    await guarded(restore());
    addEventListener("popstate", () => guarded(restore()));
    $("#followup").dataset.ready = "yes";
  }

  colours(remembered.get("theme"));
  const seen = new MutationObserver(() => {
    if ($("#followup")) { seen.disconnect(); start(); }
  });
  if ($("#followup")) start();
  else seen.observe(document.documentElement, { childList: true, subtree: true });
})();
