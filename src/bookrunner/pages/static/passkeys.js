"use strict";
// Passkeys: making one, signing in with one, and confirming one decision before its form is sent.
(() => {
  // In the reader's language, from the page; %s is the rule that was broken.
  const words = document.currentScript.dataset;

  // Without scripts these buttons would send a form that nobody takes.
  for (const button of document.querySelectorAll("form[data-passkey] button[hidden]")) button.hidden = false;

  const say = (form, sentence) => {
    let place = form.querySelector("[data-says]");
    if (!place) {
      place = document.createElement("p");
      place.dataset.says = "";
      place.setAttribute("role", "alert");
      form.append(place);
    }
    place.textContent = sentence;
  };

  const post = async (path, said) => {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(said),
    });
    const found = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      const rule = found.rule ? `${words.refused.replace("%s", found.title)}. ` : "";
      throw new Error(`${rule}${found.sentence || words.unchanged}.`);
    }
    return found;
  };

  const ceremony = async (path, said, isNew) => {
    const options = await post(`${path}/options`, said);
    const credential = isNew
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    return post(path, { ...said, credential: credential.toJSON() });
  };

  const sentence = (fault) =>
    fault.name === "NotAllowedError" ? words.unanswered : fault.message;

  // What is of no record yet is signed by its terms: the fields that the form names, after its subject.
  const terms = (form) => {
    const said = new FormData(form);
    const parts = form.dataset.terms.split(" ").map((name) => (said.get(name) ?? "").trim());
    return [form.dataset.subject, ...parts].join("/");
  };

  const subjects = (form) => {
    if (form.dataset.terms) return [terms(form)];
    return form.dataset.subject
      ? [form.dataset.subject]
      : [...form.querySelectorAll("input[type=checkbox]:checked")].map((box) => box.name);
  };

  const isAsked = (form, submitter) => {
    if (!form.dataset.only) return true;
    const [name, value] = form.dataset.only.split("=");
    return new FormData(form, submitter).get(name) === value;
  };

  const confirm = (form) => {
    const { confirm: act, offering } = form.dataset;
    return ceremony("/confirm", { act, offering, subjects: subjects(form) }, false);
  };

  const confirmed = new WeakSet();

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const submitter = event.submitter;
    if (form.dataset.passkey) {
      event.preventDefault();
      try {
        const said = Object.fromEntries(new FormData(form, submitter));
        if (form.dataset.confirm) await confirm(form);
        const done = await ceremony(form.dataset.passkey, said, form.dataset.ceremony === "new");
        window.location.assign(done.next);
      } catch (fault) {
        say(form, sentence(fault));
      }
    } else if (form.dataset.confirm && !confirmed.delete(form) && isAsked(form, submitter)) {
      event.preventDefault();
      try {
        await confirm(form);
        confirmed.add(form);
        form.requestSubmit(submitter);
      } catch (fault) {
        say(form, sentence(fault));
      }
    }
  });
})();
