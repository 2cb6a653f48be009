// "Where I am": fills in the place from the device and asks. Rounded to some ten metres; nothing else is sent.
(function () {
  "use strict";
  const button = document.querySelector("[data-where]"), field = document.getElementById("place");
  if (!button || !field || !navigator.geolocation) return;
  button.hidden = false;
  button.addEventListener("click", function () {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      function (found) {
        field.value = found.coords.latitude.toFixed(4) + ", " + found.coords.longitude.toFixed(4);
        field.form.requestSubmit();
      },
      function () {
        button.disabled = false;
        field.focus();
      },
      { timeout: 10000, maximumAge: 60000 },
    );
  });
})();
