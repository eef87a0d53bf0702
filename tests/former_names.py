# Copyright 2026 Aegis maintainers
# SPDX-License-Identifier: Apache-2.0
"""The flat names that parameters had before they were grouped, each with its name of now; alone, where it has not changed.

From config/README.md as it was at commit 0e0430b. What each driver has besides is under the driver's name.
"""

FORMER = """
simulator:
  frequency_hz waveform.frequency_hz
  tuning_range_hz waveform.tuning_range_hz
  peak_power_w waveform.peak_power_w
  pulse_width_s waveform.pulse_width_s
  prf_hz waveform.prf_hz
  coherent_dwell_s waveform.coherent_dwell_s
  bandwidth_hz waveform.bandwidth_hz
  gain_db antenna.gain_db
  azimuth_beamwidth_deg antenna.azimuth_beamwidth_deg
  elevation_beamwidth_deg antenna.elevation_beamwidth_deg
  sidelobe_db antenna.sidelobe_db
  system_temperature_k receiver.system_temperature_k
  losses_db receiver.losses_db
  max_range_m coverage.max_range_m
  azimuth_fov_deg coverage.azimuth_fov_deg
  elevation_min_deg coverage.elevation_min_deg
  elevation_max_deg coverage.elevation_max_deg
  max_range_rate_mps coverage.max_range_rate_mps
  has_elevation points.has_elevation
  has_doppler points.has_doppler
  pfa points.pfa
  false_alarms_per_scan points.false_alarms_per_scan
  noise_cells points.noise_cells
  waveform waveform.kind
  samples receiver.samples
  sample_rate_hz receiver.sample_rate_hz
  transmitters_azimuth antenna.transmitters_azimuth
  transmitters_elevation antenna.transmitters_elevation
  receivers_azimuth antenna.receivers_azimuth
  receivers_elevation antenna.receivers_elevation
  element_spacing antenna.element_spacing
  data_type receiver.data_type
  noise_lsb receiver.noise_lsb
  adc_bits receiver.adc_bits
  sensor_x
  sensor_y
  sensor_z
  sensor_yaw_deg
  level
  scenario
  seed
  scan_interval_s
  refresh_rate_hz
  frame_id
  sensor_id
driver:
  driver
  sensor_id
  frame_id
  poll_period_s
  delay_s
  silent_after_s
ars548:
  address udp.address
  port udp.port
  multicast_group udp.multicast_group
  source_address udp.source_address
  publish
asterix:
  address udp.address
  port udp.port
  multicast_group udp.multicast_group
  source_address udp.source_address
  cat048_edition edition.cat048
  cat034_edition edition.cat034
  frame frame.kind
  max_frame_s frame.max_s
  max_plots frame.max_plots
  elevation elevation.source
  radar_altitude_m elevation.radar_altitude_m
  flight_level_sigma_m elevation.flight_level_sigma_m
  height_sigma_m elevation.height_sigma_m
  silent_after_s
  sac
  sic
  x_axis_azimuth_deg
  has_doppler
  doppler_sign
smartmicro_umrr:
  address udp.address
  port udp.port
  multicast_group udp.multicast_group
  source_address udp.source_address
  rcs_unit
srr520:
  address udp.address
  port udp.port
  multicast_group udp.multicast_group
  source_address udp.source_address
  can_interface can.interface
  line
  publish
ti_raw:
  address udp.address
  port udp.port
  multicast_group udp.multicast_group
  source_address udp.source_address
  source
  path
  chirp_config
  board
ti_uart:
  device data.device
  baud data.baud
  control_device control.device
  control_baud control.baud
  cfg_file control.cfg_file
  command_timeout_s control.command_timeout_s
  cpu_clock_hz
radar_msgs:
  source
  has_elevation
  has_doppler
  doppler_sign
frontend:
  range_window windows.range
  doppler_window windows.doppler
  angle_window windows.angle
  chebyshev_sidelobe_db windows.chebyshev_sidelobe_db
  remove_static doppler.remove_static
  cfar cfar.method
  pfa cfar.pfa
  guard_range cfar.guard_range
  guard_doppler cfar.guard_doppler
  train_range cfar.train_range
  train_doppler cfar.train_doppler
  os_rank cfar.os_rank
  min_range_m coverage.min_range_m
  max_range_m coverage.max_range_m
  azimuth_fov_deg coverage.azimuth_fov_deg
  group_peaks points.group_peaks
  beams_per_cell beams.per_cell
  beam_margin_db beams.margin_db
  doppler_ambiguity doppler.ambiguity
  tdm_margin_db doppler.tdm_margin_db
  error_floor points.error_floor
  max_points points.max_points
  adc_full_scale
  map_rate_hz
detection:
  odometry_frame_id odometry.frame_id
  odometry_max_gap_s odometry.max_gap_s
  position fields.position
  x_field fields.x
  y_field fields.y
  z_field fields.z
  range_field fields.range
  azimuth_field fields.azimuth
  elevation_field fields.elevation
  angle_unit fields.angle_unit
  azimuth_sign fields.azimuth_sign
  elevation_sign fields.elevation_sign
  range_rate_field fields.range_rate
  range_rate_scale fields.range_rate_scale
  snr_field fields.snr
  snr_unit fields.snr_unit
  rcs_field fields.rcs
  rcs_unit fields.rcs_unit
  noise_field fields.noise
  min_range_m limits.min_range_m
  max_range_m limits.max_range_m
  max_points limits.max_points
  stated_errors accuracy.stated_errors
  range_sigma_m accuracy.range_sigma_m
  azimuth_sigma_deg accuracy.azimuth_sigma_deg
  elevation_sigma_deg accuracy.elevation_sigma_deg
  range_rate_sigma_mps accuracy.range_rate_sigma_mps
  reference_snr_db accuracy.reference_snr_db
  cartesian_sigma_m accuracy.cartesian_sigma_m
  group_distance_m grouping.distance_m
  group_range_rate_mps grouping.range_rate_mps
  group_min_points grouping.min_points
  classes classification.classes
  confidence_threshold classification.confidence_threshold
  max_targets limits.max_targets
  sensor_x
  sensor_y
  sensor_z
  sensor_yaw_deg
  sensor_id
  frame_id
  moving_platform
  has_elevation
  has_doppler
  model_device
tracking:
  detection_probability sensor.detection_probability
  clutter_per_scan sensor.clutter_per_scan
  births_per_scan sensor.births_per_scan
  min_range_m sensor.min_range_m
  max_range_m sensor.max_range_m
  azimuth_fov_deg sensor.azimuth_fov_deg
  elevation_fov_deg sensor.elevation_fov_deg
  range_rate_span_mps sensor.range_rate_span_mps
  sensors sensors.<sensor_id>.sensor_x
  motion motion.model
  acceleration_sigma_mps2 motion.acceleration_sigma_mps2
  vertical_acceleration_sigma_mps2 motion.vertical_acceleration_sigma_mps2
  acceleration_by_class motion.acceleration_by_class.<CLASS>
  turn_rate_sigma_degps motion.turn_rate_sigma_degps
  turn_rate_change_degps motion.turn_rate_change_degps
  mean_straight_s motion.mean_straight_s
  mean_turn_s motion.mean_turn_s
  association association.method
  association_sharpness association.sharpness
  birth_places birth.places.<place>.x
  mean_lifetime_s existence.mean_lifetime_s
  initial_objects birth.initial_objects
  transient_share birth.transient_share
  transient_life_s existence.transient_life_s
  mean_visible_s existence.mean_visible_s
  mean_hidden_s existence.mean_hidden_s
  clutter_memory_s clutter.memory_s
  clutter_radius_m clutter.radius_m
  gate_probability association.gate_probability
  initial_speed_sigma_mps birth.initial_speed_sigma_mps
  initial_height_sigma_m birth.initial_height_sigma_m
  confirm_probability existence.confirm_probability
  demote_probability existence.demote_probability
  delete_probability existence.delete_probability
  max_existence existence.max_probability
  max_coast_s existence.max_coast_s
  reorder_window_s timeline.reorder_window_s
  reset_after_s timeline.reset_after_s
  registration registration.mode
  registration_reference registration.reference
  snapshot_period_s snapshot.period_s
  snapshot_max_age_s snapshot.max_age_s
  confidence_threshold classification.confidence_threshold
  classes classification.classes
  sensor_x
  sensor_y
  sensor_z
  sensor_yaw_deg
  frame_id
  max_extent_m
  max_tracks
threat:
  asset_x asset.x
  asset_y asset.y
  asset_z asset.z
  asset_radius_m asset.radius_m
  half_distance_m score.half_distance_m
  half_time_s score.half_time_s
  threshold_medium levels.medium
  threshold_high levels.high
  threshold_critical levels.critical
  hysteresis levels.hysteresis
ew:
  noise_cells noise.cells
  baseline_scans noise.baseline_scans
  warmup_scans noise.warmup_scans
  false_alarm_probability noise.false_alarm_probability
  min_rise_db noise.min_rise_db
  clear_after_scans noise.clear_after_scans
  advice_valid_s advice.valid_s
  advice_kept_s advice.kept_s
  max_advice advice.max_kept
markers:
  max_rate_hz
  show_tentative
  track_size
  velocity_time
  threat_max_lag
  lifetime
foxglove:
  max_rate_hz picture.max_rate_hz
  show_tentative picture.show_tentative
  track_size picture.track_size
  velocity_time picture.velocity_time
  threat_max_lag picture.threat_max_lag
  lifetime picture.lifetime
  sensor_x
  sensor_y
  sensor_z
  sensor_yaw_deg
  sink
  host
  port
bridge:
  sensor_x
  sensor_y
  sensor_z
  sensor_yaw_deg
  jwt_secret accounts.jwt_secret
  jwt_algorithm accounts.jwt_algorithm
  access_token_minutes accounts.access_token_minutes
  jwt_expiration_hours accounts.jwt_expiration_hours
  session_idle_hours accounts.session_idle_hours
  session_days accounts.session_days
  sessions_per_account accounts.sessions_per_account
  login_per_account_per_minute accounts.limits.login_per_account_per_minute
  login_per_address_per_minute accounts.limits.login_per_address_per_minute
  login_per_account_anywhere_per_minute accounts.limits.login_per_account_anywhere_per_minute
  register_per_address_per_minute accounts.limits.register_per_address_per_minute
  refresh_per_address_per_minute accounts.limits.refresh_per_address_per_minute
  device_token_days accounts.device_token_days
  password_workers accounts.passwords.workers
  password_queue accounts.passwords.queue
  invite_hours accounts.invite_hours
  audit_days accounts.audit.days
  audit_refusals_per_minute accounts.audit.refusals_per_minute
  ws_queue_length stream.queue_length
  ws_eviction_s stream.eviction_s
  ws_max_clients stream.max_clients
  ws_auth_s stream.auth_s
  ws_max_message_bytes stream.max_message_bytes
  ws_send_buffer_bytes stream.send_buffer_bytes
  heartbeat_s stream.heartbeat_s
  database_url history.database_url
  history_days history.days
  history_max_mb history.max_mb
  history_track_period_s history.track_period_s
  history_journal_max_mb history.backlog_max_mb
  history_queue_mb history.queue_mb
  site outputs.site
  output_threat_max_lag_s outputs.threat_max_lag_s
  output_simulated outputs.simulated
  output_multicast_ttl outputs.multicast_ttl
  output_multicast_interface outputs.multicast_interface
  cot_url outputs.cot.url
  cot_format outputs.cot.format
  cot_period_s outputs.cot.period_s
  cot_stale_s outputs.cot.stale_s
  cot_hostile_level outputs.cot.hostile_level
  cot_tls_ca outputs.cot.tls_ca
  cot_tls_certificate outputs.cot.tls_certificate
  cot_tls_key outputs.cot.tls_key
  cot_tls_server_name outputs.cot.tls_server_name
  cat062_address outputs.cat062.address
  cat062_sac outputs.cat062.sac
  cat062_sic outputs.cat062.sic
  cat062_period_s outputs.cat062.period_s
  log_level log.level
  log_dir log.dir
  log_file_bytes log.file_bytes
  log_files_kept log.files_kept
  log_queue_bytes log.queue_bytes
  host
  port
  tls_certificate tls.certificate
  tls_key tls.key
  insecure_non_loopback
  allowed_origins
  max_body_bytes requests.max_body_bytes
  request_timeout_s requests.timeout_s
  ready_stages ready.stages
  ready_silence_s ready.silence_s
  handover_length queue_length
"""
