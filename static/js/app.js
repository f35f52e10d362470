/* What a script adds to pages that work without one: copying, theme, keyboard, and quiet live parts. */
(function () {
  "use strict";
  var root = document.documentElement;
  var said = document.getElementById("said");
  root.classList.add("js");

  function say(text) {
    if (!said) return;
    said.textContent = "";
    window.setTimeout(function () { said.textContent = text; }, 30);
  }

  function setCookie(name, value) {
    document.cookie = name + "=" + encodeURIComponent(value) + ";path=/;max-age=31536000;samesite=lax" +
      (location.protocol === "https:" ? ";secure" : "");
  }

  /* --- copy: exactly the text of the block; focus stays on the button --- */
  function select(node) {
    var range = document.createRange();
    range.selectNodeContents(node);
    var selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  }

  function copied(button) {
    var label = button.querySelector("span");
    button.classList.add("done");
    if (label) label.textContent = "Copied";
    say("Copied");
    window.setTimeout(function () {
      button.classList.remove("done");
      if (label) label.textContent = "Copy";
    }, 2000);
  }

  function copy(button) {
    var source = document.getElementById(button.dataset.copy);
    if (!source) return;
    var fallback = function () { select(source); say("Selected: press Control C to copy"); };
    if (!navigator.clipboard) {
      select(source);
      if (document.execCommand("copy")) { window.getSelection().removeAllRanges(); copied(button); } else fallback();
      return;
    }
    navigator.clipboard.writeText(source.textContent).then(function () { copied(button); }, fallback);
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (button) copy(button);
    document.querySelectorAll("[data-menu][open]").forEach(function (menu) {
      if (!menu.contains(event.target)) menu.open = false;
    });
  });

  /* --- theme: at once, and kept by the same form that works without a script --- */
  function dark() {
    return root.classList.contains("theme-dark") ||
      (!root.classList.contains("theme-light") && window.matchMedia("(prefers-color-scheme: dark)").matches);
  }

  function showTheme(button) {
    var now = dark();
    var use = button.querySelector("use");
    button.value = now ? "light" : "dark";
    button.setAttribute("aria-label", "Switch to " + button.value + " colours");
    if (use) use.setAttribute("href", use.getAttribute("href").replace(/#.*/, now ? "#sun" : "#moon"));
  }

  document.querySelectorAll("[data-theme-form]").forEach(function (form) {
    var button = form.querySelector("button");
    showTheme(button);
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      root.classList.remove("theme-light", "theme-dark");
      root.classList.add("theme-" + button.value);
      setCookie("theme", button.value);
      showTheme(button);
    });
  });

  /* --- forms: a second press while the first is on its way does nothing --- */
  document.addEventListener("submit", function (event) {
    if (!event.target.matches("[data-once]")) return;
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
    event.target.querySelectorAll("[type=submit]").forEach(function (button) {
      button.setAttribute("aria-disabled", "true");
    });
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  var wrong = document.querySelector("[data-focus]");
  if (wrong) wrong.focus();

  /* --- the chosen language of samples is remembered --- */
  document.addEventListener("change", function (event) {
    if (event.target.closest("[data-language]")) setCookie("language", event.target.value);
    if (event.target.classList.contains("keypick")) event.target.form.submit();
  });

  /* --- a long list of pages opens where this page stands in it --- */
  var here = document.querySelector(".docnav [aria-current]");
  if (here) here.closest(".docnav").scrollTop = here.offsetTop - 120;

  /* --- live parts: not while hidden, not under a reader's hands --- */
  document.addEventListener("htmx:beforeRequest", function (event) {
    if (event.target.matches("[data-live]") && document.hidden) event.preventDefault();
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    var part = event.detail.target;
    if (!part || !part.matches || !part.matches("[data-live]")) return;
    if (part.querySelector("details[open]") || part.contains(document.activeElement)) event.detail.shouldSwap = false;
  });
  document.addEventListener("htmx:afterSwap", function (event) {
    if (event.detail.target.id === "reply") {
      var badge = event.detail.target.querySelector(".reply-head .badge, h3");
      if (badge) say(badge.textContent.trim());
    }
  });
  ["htmx:sendError", "htmx:responseError", "htmx:timeout"].forEach(function (name) {
    document.addEventListener(name, function (event) {
      var reply = document.getElementById("reply");
      if (event.target.matches("[data-live]") || !reply) return;
      var status = event.detail.xhr && event.detail.xhr.status;
      reply.textContent = "";
      var note = document.createElement("p");
      note.className = "waiting";
      note.textContent = status ? "This page could not be updated (" + status + "). Reload it and run again."
        : "The portal could not be reached. Check the connection and run again.";
      reply.appendChild(note);
      say(note.textContent);
    });
  });

  /* --- keyboard: off while typing --- */
  var places = { a: "/apis/", h: "/app/", k: "/app/keys/", u: "/app/usage/" };
  var prefix = 0;
  document.addEventListener("keydown", function (event) {
    var tag = event.target.tagName;
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(tag) || event.target.isContentEditable) return;
    if (document.querySelector("dialog[open]")) return;
    var key = event.key;
    if (prefix && Date.now() - prefix < 1200 && places[key]) { location.href = places[key]; return; }
    prefix = key === "g" ? Date.now() : 0;
    var target = null;
    if (key === "/") target = document.querySelector("#find-op, #find");
    if (target) { event.preventDefault(); target.focus(); target.select(); }
    if (key === "r") { var run = document.querySelector("[data-run-button], [data-run] [type=submit]"); if (run) run.click(); }
    if (key === "?") { var help = document.getElementById("keys-help"); if (help && help.showModal) help.showModal(); }
    if (key === "Escape") document.querySelectorAll("[data-menu][open]").forEach(function (menu) { menu.open = false; });
  });
})();
