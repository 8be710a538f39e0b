// What one participant publishes, kept in step with what is known of it; every difference becomes an event.

export class Publications {
  #context; #participant;

  constructor(context, participant) {
    this.#context = context;
    this.#participant = participant;
  }

  /** Makes the publications those of `list`: `[{id, kind, source, name, muted, track, paused}]`, `track` null while no media comes. */
  replace(list) {
    const { publications } = this.#participant;
    const sources = new Set(list.map((one) => one.source));
    for (const [source, publication] of publications) if (!sources.has(source)) this.#remove(publication);
    let announced = false;
    for (const one of list) {
      const known = publications.get(one.source);
      if (known) this.#change(known, one);
      else this.#add(one);
      announced ||= !known;
    }
    if (announced) this.#context.emit('participant-updated', { participant: this.#participant });
  }

  mute(source, muted) {
    const publication = this.#participant.publications.get(source);
    if (!publication || publication.muted === muted) return;
    publication.muted = muted;
    this.#emit('track-muted', publication, { muted });
  }

  clear() {
    for (const publication of this.#participant.publications.values()) this.#remove(publication);
  }

  #add({ track, ...fields }) {
    const publication = { ...fields, participant: this.#participant, track: null, stream: null };
    this.#participant.publications.set(fields.source, publication);
    this.#attach(publication, track);
  }

  #change(publication, { id, name, muted, track, paused }) {
    Object.assign(publication, { id, name, paused });
    this.#attach(publication, track);
    this.mute(publication.source, muted);
  }

  #remove(publication) {
    this.#attach(publication, null);
    this.#participant.publications.delete(publication.source);
    this.#context.emit('participant-updated', { participant: this.#participant });
  }

  #attach(publication, track) {
    if (publication.track === track) return;
    if (publication.track) {
      const gone = publication.track;
      publication.track = publication.stream = null;
      this.#emit('track-removed', publication, { track: gone });
    }
    if (!track) return;
    publication.track = track;
    publication.stream = new MediaStream([track]);
    this.#emit('track-added', publication, { track });
  }

  #emit(type, publication, fields) {
    this.#context.emit(type, { participant: this.#participant, publication, source: publication.source, ...fields });
  }
}
