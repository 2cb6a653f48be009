// Passkeys: register this device, and sign with it. Without it the pages sign by name alone.
(function () {
  "use strict";
  if (!window.PublicKeyCredential) return;

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

  async function post(address, body, token) {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": token },
      body: JSON.stringify(body),
    });
    const found = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(found.error || String(answer.status));
    return found;
  }

  function ids(list) {
    return (list || []).map((one) => ({ ...one, id: bytes(one.id) }));
  }

  async function register(options) {
    const made = await navigator.credentials.create({
      publicKey: {
        ...options,
        challenge: bytes(options.challenge),
        user: { ...options.user, id: bytes(options.user.id) },
        excludeCredentials: ids(options.excludeCredentials),
      },
    });
    return credential(made, {
      clientDataJSON: text(made.response.clientDataJSON),
      attestationObject: text(made.response.attestationObject),
    });
  }

  async function sign(options) {
    const made = await navigator.credentials.get({
      publicKey: { ...options, challenge: bytes(options.challenge), allowCredentials: ids(options.allowCredentials) },
    });
    return credential(made, {
      clientDataJSON: text(made.response.clientDataJSON),
      authenticatorData: text(made.response.authenticatorData),
      signature: text(made.response.signature),
    });
  }

  function credential(made, response) {
    return { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
  }

  document.querySelectorAll("[data-passkey]").forEach(function (button) {
    const form = button.closest("form");
    const said = form.querySelector("[role=alert]");
    button.hidden = false;
    button.addEventListener("click", async function () {
      if (!form.reportValidity()) return;
      const fields = Object.fromEntries(new FormData(form));
      const token = fields.csrf_token;
      said.hidden = true;
      button.disabled = true;
      try {
        const asked = await post(button.dataset.passkey + "/ask", { ...fields, answer: "ACKNOWLEDGED" }, token);
        const made = button.dataset.make ? await register(asked.options) : await sign(asked.options);
        const body = { credential: made, label: fields.label, statement: asked.statement };
        window.location.assign((await post(button.dataset.passkey, body, token)).next);
      } catch (error) {
        // Cancelled by its owner, or refused: both are said where it was asked.
        said.textContent = error.name === "Error" ? error.message : said.dataset.words;
        said.hidden = false;
        button.disabled = false;
      }
    });
  });
})();
