// Says two minutes before a session ends that it will, with a button that makes a call. Without this script the
// page says the time of day at its foot.
"use strict";
(function () {
  var box = document.getElementById("hq-idle");
  if (!box) { return; }
  var warning = box.querySelector(".hq-idle__warning");
  var ended = box.querySelector(".hq-idle__ended");
  var button = box.querySelector("button");
  var timers = [];

  function show(one) {
    [warning, ended].forEach(function (each) { each.hidden = each !== one; });
  }

  function start(seconds) {
    timers.forEach(window.clearTimeout);
    show(null);
    var before = Number(box.getAttribute("data-warning"));
    timers = [
      window.setTimeout(function () { show(warning); }, Math.max(0, seconds - before) * 1000),
      window.setTimeout(function () { show(ended); }, seconds * 1000)
    ];
  }

  button.addEventListener("click", function () {
    window.fetch("/session", { credentials: "same-origin", redirect: "error" }).then(function (answer) {
      if (!answer.ok) { throw new Error("ended"); }
      return answer.json();
    }).then(function (found) {
      document.getElementById("hq-until").textContent = found.until;
      start(found.seconds);
    }).catch(function () { show(ended); });
  });
  start(Number(box.getAttribute("data-seconds")));
})();
